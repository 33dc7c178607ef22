//! Saved quotes: what is charged is what was quoted, or nothing.

use crate::{Allow, Clock, Desired, Engine, EngineOptions, ImportOptions, RenewAsk, RenewOptions, Selector};
use renewd_core::documents::Pattern;
use renewd_core::refusal::{Reason, Verdict};
use std::path::Path;
use std::time::Duration;

const HEADER: &str = "id,account,kind,sku,quantity,labels,region,expiry,renewable\n";

fn engine(store: &Path, now: &str) -> Engine {
    Engine::new(EngineOptions {
        store: store.to_owned(),
        wait: Duration::from_secs(5),
        command: "test".to_owned(),
        clock: Clock::Fixed(now.parse().unwrap()),
        progress: None,
        notice: None,
    })
}

fn import(folder: &Path, engine: &Engine, row: &str) {
    let file = folder.join("fleet.csv");
    std::fs::write(&file, format!("{HEADER}{row}\n")).unwrap();
    engine.import(&file, &ImportOptions::default()).unwrap();
}

/// A quote was kept, and charged without being priced again, when its resource could no longer be quoted at all.
#[test]
fn a_saved_quote_that_can_no_longer_be_had_is_refused() {
    let row = |quantity, renewable| {
        format!("phone-x,acme-asia,cloud-phone,phone-l,{quantity},env=prod,ap-southeast-1,2027-02-02,{renewable}")
    };
    for (after, verdict, reason) in [
        (row(1, "true"), Verdict::Renewed, None),
        (row(1, "false"), Verdict::Refused, Some(Reason::NotRenewable)),
        (row(2, "true"), Verdict::Refused, Some(Reason::PriceChanged)),
        (row(1, "true").replace("2027-02-02", "2027-02-03"), Verdict::Refused, Some(Reason::ExpiryMoved)),
        (row(1, "true").replace("env=prod", "env=unheard-of"), Verdict::Refused, Some(Reason::NoPolicy)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let first = engine(&store, "2026-11-23T09:00:00Z");
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
        let planned = first.plan(&Desired { directory: Some(policies), resources: None }).unwrap();
        first.apply(planned, &Allow::default()).unwrap();
        import(folder.path(), &first, &row(1, "true"));
        let selector = Selector { ids: vec![Pattern::new("phone-x")], ..Selector::default() };
        let saved = folder.path().join("quote.json");
        first.quote(&selector, &RenewAsk::default()).unwrap().save(&saved).unwrap();

        let later = engine(&store, "2026-11-23T10:00:00Z");
        import(folder.path(), &later, &after);
        let quoted = later.load_quote(&saved).unwrap();
        let renewed = later.renew(quoted, &RenewOptions::default()).unwrap();
        assert_eq!((renewed.items[0].verdict, renewed.items[0].reason), (verdict, reason), "{after}: {renewed:#?}");
    }
}
