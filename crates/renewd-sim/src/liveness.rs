//! After the storm: nothing fails any more, and everything must come to its end.

use crate::gateway::money;
use crate::model::Wrong;
use crate::simulation::Simulation;
use renewd_core::calendar::Until;
use renewd_core::cover::{Cover, mode_of};
use renewd_core::documents::{Mode, RenewalPolicy, Windows};
use renewd_core::ids::OrderId;
use renewd_core::money::Money;
use renewd_core::resource::Resource;
use renewd_engine::RefundWish;

const DAY: i64 = 86_400;

/// Seconds between the looks at what is unknown: within so many it has to be known.
const RECONCILES: [i64; 7] = [0, 300, 3_600, DAY, DAY, DAY, DAY];

/// Seconds between the runs after that, until every late success has been found.
const FOLLOW_UPS: [i64; 6] = [DAY, 2 * DAY, 2 * DAY, 3 * DAY, 4 * DAY, DAY];

/// Days that no two of those runs are apart.
const RUNS_APART: u32 = 5;

/// Days during which automatic renewal tries.
fn window_days(policy: &RenewalPolicy, resource: &Resource) -> u32 {
    let Windows { grace, retention, .. } = resource.windows;
    let after = match policy.auto.until {
        Until::Expiry => 0,
        Until::Grace => grace.0,
        Until::Retention => grace.0.saturating_add(retention.0),
    };
    policy.auto.charge_before.0.saturating_add(after)
}

impl Simulation {
    /// INVARIANT (liveness): with faults off, what an honest gateway can settle is settled within seven reconciles.
    pub(crate) fn come_to_rest(&mut self) -> Result<(), Wrong> {
        self.calm = true;
        self.say("-- from here on nothing fails --".to_owned());
        // The clock may have been set back: what was planned for later is due only then.
        {
            let mut bank = self.world.bank();
            bank.chaos = false;
            bank.finish();
        }
        self.declared.ease();
        self.apply()?;
        self.settle_conflicts()?;
        let visible = i64::try_from(self.world.profile.visibility_seconds).unwrap_or_default();
        self.world.advance(visible + 4 * DAY);
        let due = self.renewed_by_itself()?;
        let first = self.world.now();
        for seconds in RECONCILES {
            self.world.advance(seconds);
            self.run()?;
        }
        // A restored store may have found a lost charge again in one of these runs, and then has asked less often.
        let found = self.newly_open(first, RECONCILES.len())?;
        let last = self.world.now();
        for seconds in FOLLOW_UPS {
            self.world.advance(seconds);
            self.run()?;
            self.give_back_late_charges()?;
        }
        if found {
            self.newly_open(last, FOLLOW_UPS.len())?;
        }
        // INVARIANT (none-skipped): what is renewed automatically does not lapse where money can be had.
        for (resource, expiry) in due {
            if self.auditor.model.expiries.get(&resource) == Some(&expiry) {
                return Err(format!("skipped: {resource} was to be renewed before {expiry}, and nobody did"));
            }
        }
        self.auditor.close(&self.world)
    }

    /// Whether anything is open that is so since after a second. What is open longer is wrong.
    fn newly_open(&self, second: i64, reconciles: usize) -> Result<bool, Wrong> {
        let open = self.auditor.open(&self.world)?;
        // The clock may have been set back since.
        let between = second.saturating_add(1)..=self.world.now();
        match open.iter().find(|(since, _)| !between.contains(since)) {
            Some((_, open)) => Err(format!("unsettled: after {reconciles} reconciles {open}")),
            None => Ok(!open.is_empty()),
        }
    }

    /// Resources that automatic renewal must extend before all is over, with their expiry: those that expire well after
    /// what is in their way now has expired itself, and well before the last run.
    fn renewed_by_itself(&self) -> Result<Vec<(String, i64)>, Wrong> {
        let failed = |error| format!("unreadable: {error}");
        let store = self.world.inspect().map_err(failed)?;
        let state = store.state().map_err(failed)?;
        let now = chrono::DateTime::from_timestamp(self.world.now(), 0).unwrap_or_default();
        let mut due = Vec::new();
        for (id, resource) in &state.resources {
            let cover = Cover::find(resource, state.policies());
            let Some(policy) = cover.policy() else { continue };
            let expiry = resource.end.expiry.instant().timestamp();
            let in_time = self.world.now() + 6 * DAY < expiry && expiry < self.world.now() + 13 * DAY;
            let hindered = resource.freeze.is_some()
                || policy.auto.times.is_some()
                // The runs at the end are days apart: a window that is short, or ends with the expiry, may lie between two.
                || policy.auto.until == Until::Expiry
                || window_days(policy, resource) < RUNS_APART
                || resource.auto_tried().is_some_and(|tried| !tried.refused.is_empty())
                || 0 < self.world.bank().era;
            if in_time && !hindered && mode_of(resource, &cover, now).0 == Mode::Auto {
                due.push((id.to_string(), expiry));
            }
        }
        Ok(due)
    }

    /// A gateway may have declined to give back what came too late: a person tries again, with what is left of it there.
    fn give_back_late_charges(&mut self) -> Result<(), Wrong> {
        let mut late: Vec<(String, Option<Money>)> = Vec::new();
        for (id, order) in &self.auditor.model.orders {
            let stuck = |(number, it): (&u32, &crate::model::Try)| {
                let mut bank = self.world.bank();
                let charge = bank.by_key(&it.gateway, &it.key)?;
                let of_it = it.succeeded && order.settled != Some(*number) && order.is_denied_back(*number);
                let left = charge.amount - charge.refunded();
                (of_it && !left.is_zero()).then(|| money(left, &charge.currency))
            };
            if let Some(left) = order.tries.iter().find_map(stuck) {
                late.push((id.clone(), left));
            }
        }
        for (id, amount) in late {
            let Ok(id) = OrderId::new(id) else { continue };
            let wish = RefundWish { resources: Vec::new(), amount, reason: "it came too late".to_owned() };
            self.command(&format!("refund {id}, which came too late"), |engine| engine.refund(&id, &wish))?;
        }
        Ok(())
    }
}
