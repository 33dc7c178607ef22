//! What an account's document names as its method: `pm_…`, `cus_…/pm_…`, and for charges also `cus_…` or `tok_…`.

/// Most bytes of a reference.
const REFERENCE_MAX: usize = 250;
const CUSTOMER: &str = "cus_";

/// Who pays, with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source<'a> {
    pub(crate) customer: Option<&'a str>,
    pub(crate) method: Option<&'a str>,
}

impl<'a> Source<'a> {
    /// Reads a reference; `None` for anything else.
    pub(crate) fn parse(reference: &'a str) -> Option<Self> {
        let (customer, method) = match reference.split_once('/') {
            Some((customer, method)) => (Some(customer), Some(method)),
            None if reference.starts_with(CUSTOMER) => (Some(reference), None),
            None => (None, Some(reference)),
        };
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains('/');
        let customer_fits = customer.is_none_or(|text| text.starts_with(CUSTOMER) && plain(text));
        let method_fits = method.is_none_or(|text| plain(text) && !text.starts_with(CUSTOMER));
        let fits = reference.len() <= REFERENCE_MAX && customer_fits && method_fits;
        fits.then_some(Self { customer, method })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        let read = |text| Source::parse(text).map(|source| (source.customer, source.method));
        assert_eq!(read("pm_card_visa"), Some((None, Some("pm_card_visa"))));
        assert_eq!(read("cus_1/pm_2"), Some((Some("cus_1"), Some("pm_2"))));
        assert_eq!(read("cus_1"), Some((Some("cus_1"), None)));
        assert_eq!(read("tok_500|tok_visa|x"), Some((None, Some("tok_500|tok_visa|x"))));
        for bad in ["", "/", "cus_1/", "/pm_2", "pm_1/pm_2", "cus_1/cus_2", "cus_1/pm_2/x", "pm 1", "pm_é", "pm_\n"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
