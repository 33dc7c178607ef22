//! Inventories: from the text of a file to events, as one piece.

mod merging;
mod reading;

use super::{Merged, check_rows, merge_rows, read_inventory};
use crate::fixtures::World;
use crate::options::Take;
use renewd_core::event::Event;
use std::io::Write as _;

/// What an inventory of this format does to a world; it must be without findings.
fn merged(world: &World, format: &str, text: &str, take: Option<Take>) -> Merged {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let inventory = read_inventory(file.path(), Some(format)).unwrap();
    assert!(inventory.findings.is_empty(), "{text}: {:?}", inventory.findings);
    let rows = check_rows(&inventory, &world.state);
    assert!(rows.bad.is_empty(), "{text}: {:?}", rows.bad);
    merge_rows(&world.state, &rows.good, take, world.now)
}

/// Imports a CSV file of these columns beside the required ones; every row is of account `acme`.
fn import(world: &mut World, columns: &str, rows: &[&str], take: Option<Take>) -> Merged {
    let mut text = format!("account,kind,sku,quantity,region,labels,name,id,{columns}\n");
    for row in rows {
        let id = row.split(',').next().unwrap();
        text += &format!("acme,cloud-phone,phone.large,1,ap-southeast-1,env=prod,the {id},{row}\n");
    }
    let merged = merged(world, "csv", &text, take);
    world.apply(&merged.events);
    merged
}

fn kinds(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned()).collect()
}
