//! Named sets of defaults, one per vendor's practice (DESIGN section 3, `conventions`). Data only: a new vendor is
//! a row here and in `tests/vectors/conventions.csv`.

use super::options::{ExtraDays, ExtraOf, LateStart, MonthEnd, Proration, Until, words};
use chrono::NaiveTime;

words! {
    /// Whose practice.
    ConventionsName, "known set of conventions" {
        /// Huawei Cloud.
        HuaweiCloud = "huawei-cloud",
        /// Alibaba Cloud.
        AlibabaCloud = "alibaba-cloud",
        /// Tencent Cloud.
        TencentCloud = "tencent-cloud",
    }
}

/// When automatic renewal charges, unless a policy says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoDefaults {
    /// Local calendar days before the expiry.
    pub charge_before_days: u32,
    /// Local time of day.
    pub charge_at: NaiveTime,
    /// Local calendar days between attempts.
    pub retry_days: u32,
    /// When trying ends.
    pub until: Until,
}

/// The defaults that a policy starts from; any field can be overridden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conventions {
    /// What happens to a day that the target month does not have.
    pub month_end: MonthEnd,
    /// Where a late renewal starts.
    pub late_start: LateStart,
    /// How extra days are charged.
    pub extra: ExtraDays,
    /// The local time of an expiry that is a bare date.
    pub bare_date_time: NaiveTime,
    /// When automatic renewal charges.
    pub auto: AutoDefaults,
}

/// The defaults of a named convention, or those without a name: as `huawei-cloud`, but proration is `actual`.
pub fn conventions(name: Option<ConventionsName>) -> &'static Conventions {
    match name {
        None => &UNNAMED,
        Some(ConventionsName::HuaweiCloud) => &HUAWEI_CLOUD,
        Some(ConventionsName::AlibabaCloud) => &ALIBABA_CLOUD,
        Some(ConventionsName::TencentCloud) => &TENCENT_CLOUD,
    }
}

static HUAWEI_CLOUD: Conventions = Conventions {
    month_end: MonthEnd::Anchor,
    late_start: LateStart::FromExpiry,
    extra: of_month(Proration::NaturalMonths),
    bare_date_time: END_OF_DAY,
    auto: AutoDefaults { charge_before_days: 7, charge_at: hour(3), retry_days: 1, until: Until::Retention },
};

static ALIBABA_CLOUD: Conventions = Conventions {
    month_end: MonthEnd::Anchor,
    late_start: LateStart::FromExpiry,
    extra: of_month(Proration::Actual),
    bare_date_time: NaiveTime::MIN,
    auto: AutoDefaults { charge_before_days: 7, charge_at: hour(8), retry_days: 1, until: Until::Grace },
};

static TENCENT_CLOUD: Conventions = Conventions {
    month_end: MonthEnd::Anchor,
    late_start: LateStart::FromExpiry,
    extra: of_month(Proration::Fixed30),
    bare_date_time: END_OF_DAY,
    auto: AutoDefaults { charge_before_days: 0, charge_at: hour(0), retry_days: 1, until: Until::Grace },
};

static UNNAMED: Conventions = Conventions {
    month_end: MonthEnd::Anchor,
    late_start: LateStart::FromExpiry,
    extra: of_month(Proration::Actual),
    bare_date_time: END_OF_DAY,
    auto: AutoDefaults { charge_before_days: 7, charge_at: hour(3), retry_days: 1, until: Until::Retention },
};

const END_OF_DAY: NaiveTime = time(23, 59, 59);

const fn of_month(proration: Proration) -> ExtraDays {
    ExtraDays { of: ExtraOf::Month, proration }
}

const fn hour(hour: u32) -> NaiveTime {
    time(hour, 0, 0)
}

/// A time that does not exist would read as midnight; `tests/vectors/conventions.csv` would show it.
const fn time(hour: u32, minute: u32, second: u32) -> NaiveTime {
    match NaiveTime::from_hms_opt(hour, minute, second) {
        Some(time) => time,
        None => NaiveTime::MIN,
    }
}
