//! Which policy covers a resource, and which mode it therefore has.

use crate::documents::{Mode, Overrides, RenewalPolicy};
use crate::ids::PolicyName;
use crate::resource::{ModeOverride, Resource};
use chrono::{DateTime, Utc};

/// The policy that a resource has at a moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Cover<'a> {
    /// The one policy of the highest priority that matches; it wins whole.
    Policy(&'a RenewalPolicy),
    /// No policy matches: the resource is manual and cannot be quoted.
    None,
    /// Several policies of the same highest priority match, by name.
    Conflict(Vec<&'a PolicyName>),
}

impl<'a> Cover<'a> {
    /// Finds the policy of a resource among all policies.
    pub fn find(resource: &Resource, policies: impl IntoIterator<Item = &'a RenewalPolicy>) -> Self {
        let subject = resource.subject();
        let mut best: Vec<&'a RenewalPolicy> = Vec::new();
        for policy in policies {
            let top = best.first().map(|first| first.priority);
            if top.is_some_and(|top| policy.priority < top) || !policy.matcher.matches(&subject) {
                continue;
            }
            if top.is_some_and(|top| top < policy.priority) {
                best.clear();
            }
            best.push(policy);
        }
        match best.as_slice() {
            [] => Self::None,
            [only] => Self::Policy(only),
            several => Self::Conflict(several.iter().map(|policy| &policy.name).collect()),
        }
    }

    /// The policy, where there is exactly one.
    pub fn policy(&self) -> Option<&'a RenewalPolicy> {
        match self {
            Self::Policy(policy) => Some(policy),
            Self::None | Self::Conflict(_) => None,
        }
    }
}

/// Where a resource's mode comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModeSource<'a> {
    /// A person or an inventory chose it.
    Override(&'a ModeOverride),
    /// Its policy says so.
    Policy(&'a PolicyName),
    /// Automatic renewal did as many renewals as its policy wants.
    Finished(&'a PolicyName),
    /// No policy decides, so it is manual.
    Default,
}

/// The mode of a resource at a moment, and where it comes from.
pub fn mode_of<'a>(resource: &'a Resource, cover: &Cover<'a>, now: DateTime<Utc>) -> (Mode, ModeSource<'a>) {
    let policy = cover.policy();
    let overridable = policy.is_none_or(|policy| policy.overrides == Overrides::Allow);
    let chosen = resource.active_override(now).filter(|_| overridable);
    let (mode, source) = match (chosen, policy) {
        (Some(chosen), _) => (chosen.mode, ModeSource::Override(chosen)),
        (None, Some(policy)) => (policy.mode, ModeSource::Policy(&policy.name)),
        (None, None) => (Mode::Manual, ModeSource::Default),
    };
    match policy {
        Some(policy) if mode == Mode::Auto && is_finished(resource, policy) => {
            (Mode::Manual, ModeSource::Finished(&policy.name))
        }
        Some(_) | None => (mode, source),
    }
}

/// Whether automatic renewal did as many renewals as the policy wants since somebody last chose the mode.
pub fn is_finished(resource: &Resource, policy: &RenewalPolicy) -> bool {
    policy.auto.times.is_some_and(|times| times <= resource.auto.renewals)
}
