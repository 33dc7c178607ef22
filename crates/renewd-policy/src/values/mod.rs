//! The values that fields take: one parser per form, each with its problem and hint.
//!
//! Parsers take the text of a scalar and know nothing of YAML or of places.

mod amounts;
mod names;
mod rights;
mod times;

pub use amounts::{parse_bytes, parse_decimal, parse_integer, parse_money, parse_percent};
pub use names::{parse_currency, parse_name, parse_zone};
pub use rights::{parse_grant, parse_secret_name, parse_variable, parse_web_url};
pub use times::{parse_date, parse_days, parse_millis, parse_moment, parse_renewal_day, parse_term, parse_time};
