//! Rows: every bad field is a finding on its place, and three formats say the same.

use super::merged;
use crate::fixtures::World;
use crate::import::{COLUMNS, LABELS_MAX, TEXT_BYTES_MAX, capped, check_rows, read_inventory};
use renewd_policy::Finding;
use std::io::Write as _;

/// The findings of a text as `line:column code`, those of reading before those of the rows.
fn findings(format: &str, text: &str) -> Vec<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let inventory = read_inventory(file.path(), Some(format)).unwrap();
    let rows = check_rows(&inventory, &World::new().state);
    let mut list: Vec<Finding> = inventory.findings.into_sorted();
    list.extend(rows.bad.into_iter().flat_map(|(_, _, findings)| findings));
    list.iter()
        .map(|finding| format!("{}:{} {}", finding.place.line, finding.place.column, finding.code.as_str()))
        .collect()
}

/// A CSV file of one good row in which one column has another value.
fn row_with(column: &str, value: &str) -> (String, u32) {
    let good = |name: &str| match name {
        "id" => "phone-9",
        "account" => "acme",
        "kind" => "cloud-phone",
        "sku" => "phone.large",
        "expiry" => "2027-01-31",
        _ => "",
    };
    let (mut row, mut place) = (String::new(), 1);
    for (index, name) in COLUMNS.into_iter().enumerate() {
        if index > 0 {
            row.push(',');
        }
        if name == column {
            place = u32::try_from(row.chars().count() + 1).unwrap();
        }
        row.push_str(if name == column { value } else { good(name) });
    }
    (format!("{}\n{row}\n", COLUMNS.join(",")), place)
}

#[test]
fn each_bad_field_is_a_finding_on_its_place() {
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    let many = (0..=LABELS_MAX).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(";");
    for (column, value, code) in [
        ("id", "phone*", "bad-name"),
        ("id", "phone 9", "bad-name"),
        ("id", "phone;9", "bad-name"),
        ("account", "acme-asia", "dangling-name"),
        ("account", "Acme", "dangling-name"),
        ("name", &long, "too-large"),
        ("quantity", "0", "bad-number"),
        ("quantity", "-1", "bad-number"),
        ("quantity", "+1", "bad-number"),
        ("quantity", "1.5", "bad-number"),
        ("quantity", "4294967296", "bad-number"),
        ("labels", "env", "wrong-type"),
        ("labels", "=prod", "wrong-type"),
        ("labels", "env=prod;env=test", "duplicate-key"),
        ("labels", &many, "too-large"),
        ("expiry", "soon", "bad-date"),
        ("expiry", "31.01.2027", "bad-date"),
        ("expiry", "2027-02-30", "bad-date"),
        ("expiry", "2027-1-31", "bad-date"),
        ("expiry", "2027-01-31T24:00:00", "bad-date"),
        ("expiry", "2027-01-31T23:59:60", "bad-date"),
        ("expiry", "2027-01-31T23:59:59.5Z", "bad-date"),
        ("expiry", "2027-01-31T23:59:59 Asia/Singapore", "bad-date"),
        ("expiry", "+20271-1-1", "bad-date"),
        ("expiry", "-2027-1-31", "bad-date"),
        ("expiry", "+12027-01-31T00:00:00", "bad-date"),
        ("anchorDay", "0", "bad-number"),
        ("anchorDay", "32", "bad-number"),
        ("anchorDay", "+5", "bad-number"),
        ("anchorDay", "last", "bad-number"),
        ("mode", "Auto", "unknown-word"),
        ("mode", "off", "unknown-word"),
        ("price", "-1", "bad-number"),
        ("price", "+1", "bad-number"),
        ("price", "1e3", "bad-number"),
        ("price", "1_000", "bad-number"),
        ("price", "12.50 USD", "bad-number"),
        ("price", ".5", "bad-number"),
        ("price", "9999999999999999", "bad-number"),
        ("renewable", "yes", "unknown-word"),
        ("renewable", "True", "unknown-word"),
    ] {
        let (text, place) = row_with(column, value);
        assert_eq!(findings("csv", &text), [format!("2:{place} {code}")], "{column} `{value}`");
    }
    for (column, value) in [
        ("quantity", "4294967295"),
        ("labels", " env = prod ; team= "),
        ("expiry", "2028-02-29"),
        ("expiry", "2027-01-31T23:59"),
        ("expiry", "2027-01-31 23:59:59"),
        ("expiry", "2027-01-31T23:59:59-11:30"),
        ("anchorDay", "31"),
        ("price", "0"),
        ("price", "0.000000000001"),
        ("renewable", "false"),
    ] {
        assert_eq!(findings("csv", &row_with(column, value).0), Vec::<String>::new(), "{column} `{value}`");
    }
}

#[test]
fn a_missing_field_is_a_finding_on_the_row() {
    for column in ["id", "account", "kind", "sku", "expiry"] {
        assert_eq!(findings("csv", &row_with(column, "").0), ["2:1 missing-field"], "{column}");
        assert_eq!(findings("csv", &row_with(column, "  ").0), ["2:1 missing-field"], "{column}");
    }
}

#[test]
fn all_findings_of_all_rows_are_told_at_once() {
    let text = "id,account,kind,sku,expiry,quantity\n\
                phone-9,acme,k,s,2027-01-31,1\n\
                phone-9,acme,k,s,2027-01-31,1\n\
                phone 8,nobody,k,s,never,0\n\
                phone-7,acme,k,s,2027-01-31\n\
                \n\
                \"phone-6\",\"acme\",\"k, with comma\",s,2027-01-32,1\n";
    let mut found = findings("csv", text);
    found.sort();
    let expected = [
        "3:1 duplicate-item",
        "4:1 bad-name",
        "4:20 bad-date",
        "4:26 bad-number",
        "4:9 dangling-name",
        "5:1 bad-csv",
        "7:36 bad-date",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_bad_header_is_told_instead_of_its_rows() {
    for (header, expected) in [
        ("id,account,kind,sku,expires", vec!["1:1 missing-field", "1:21 unknown-key"]),
        ("id,account,kind,sku,expiry,id", vec!["1:28 bad-csv"]),
        ("id,kind,sku,expiry", vec!["1:1 missing-field"]),
    ] {
        assert_eq!(findings("csv", &format!("{header}\nx,x,x,x,x,x\n")), expected, "{header}");
    }
    assert_eq!(findings("csv", ""), ["1:1 missing-field"; 5], "an empty file");
}

#[test]
fn bad_json_is_told_with_its_place() {
    let item = r#""id":"phone-9","account":"acme","kind":"k","sku":"s","expiry":"2027-01-31""#;
    for (format, text, expected) in [
        ("json", "[{]".to_owned(), vec!["1:3 wrong-type"]),
        ("json", "{}".to_owned(), vec!["1:1 wrong-type"]),
        ("json", "[\n 5\n]".to_owned(), vec!["1:1 wrong-type"]),
        ("json", format!("[\n  {{{item}}},\n  {{{item}}}\n]"), vec!["3:3 duplicate-item"]),
        ("json", format!("[{{{item},\"price\":12.5}}]"), vec!["1:2 bad-number"]),
        ("json", format!("[{{{item},\"prize\":\"12.5\"}}]"), vec!["1:2 unknown-key"]),
        ("json", format!("[{{{item},\"labels\":[\"a\"]}}]"), vec!["1:2 wrong-type"]),
        ("json", format!("[{{{item},\"labels\":{{\"a\":1}}}}]"), vec!["1:2 wrong-type"]),
        ("json", format!("[{{{item},\"labels\":{{\"a\":\"b;c=d\"}}}}]"), vec!["1:2 wrong-type"]),
        ("json", format!("[{{{item},\"labels\":{{\"a=b\":\"c\"}}}}]"), vec!["1:2 wrong-type"]),
        ("json", format!("{{\"resources\":[\n{{{item},\"quantity\":0}}]}}"), vec!["2:1 bad-number"]),
        ("ndjson", format!("{{{item}}}\n\n{{{item}\n"), vec!["3:75 wrong-type"]),
        ("ndjson", format!("{{{item}}}\n{{{item}}}\n"), vec!["2:1 duplicate-item"]),
        ("ndjson", "[]\n".to_owned(), vec!["1:1 wrong-type"]),
    ] {
        assert_eq!(findings(format, &text), expected, "{text}");
    }
}

#[test]
fn csv_json_and_ndjson_say_the_same() {
    let csv = "\u{feff}id,name,account,kind,sku,quantity,region,labels,expiry,anchorDay,mode,price,externalId,renewable\r\n\
               phone-8,\"Phone, \"\"Eight\"\"\",acme,k,s,2,eu-1,a=1;b=x=y,2027-02-28,31,auto,12.50,i-8,true\r\n\
               phone-9,,acme,k,s,,,,2027-01-31T10:00:00Z,,,,,false\r\n";
    let eight = r#"{"id":"phone-8","name":"Phone, \"Eight\"","account":"acme","kind":"k","sku":"s","quantity":2,
        "region":"eu-1","labels":{"a":"1","b":"x=y"},"expiry":"2027-02-28","anchorDay":31,"mode":"auto","price":"12.50",
        "externalId":"i-8","renewable":true}"#;
    let nine = r#"{"id":"phone-9","account":"acme","kind":"k","sku":"s","quantity":null,"mode":"",
        "expiry":"2027-01-31T10:00:00Z","renewable":"false"}"#;
    let one_line = |text: &str| text.replace('\n', " ");
    let world = World::new();
    let expected = merged(&world, "csv", csv, None);
    assert_eq!(expected.added.len(), 2);
    for (format, text) in [
        ("json", format!("[{eight}, {nine}]")),
        ("json", format!("{{\"formatVersion\":1,\"kind\":\"resource-list\",\"resources\":[{eight}, {nine}]}}")),
        ("ndjson", format!("{}\n\n{}\n", one_line(eight), one_line(nine))),
        ("jsonl", format!("{{\"formatVersion\":1}}\n{}\n{}", one_line(eight), one_line(nine))),
    ] {
        assert_eq!(merged(&world, format, &text, None).events, expected.events, "{text}");
    }
}

#[test]
fn the_format_comes_from_the_name_unless_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, format: Option<&str>| {
        let path = folder.path().join(name);
        std::fs::write(&path, "id,account,kind,sku,expiry\na,acme,k,s,2027-01-31\n").unwrap();
        read_inventory(&path, format).map(|inventory| (inventory.rows.len(), inventory.findings.len()))
    };
    assert_eq!(read("fleet.csv", None).unwrap(), (1, 0));
    assert_eq!(read("fleet.CSV", None).unwrap(), (1, 0));
    assert_eq!(read("fleet.txt", Some("csv")).unwrap(), (1, 0));
    assert_eq!(read("fleet.csv", Some("json")).unwrap(), (0, 1));
    assert!(read("fleet.txt", None).is_err());
    assert!(read_inventory(&folder.path().join("absent.csv"), None).is_err());
}

#[test]
fn findings_are_capped_and_the_rest_counted() {
    let bad = "x,nobody,k,s,2027-01-31\n".repeat(500);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "id,account,kind,sku,expiry\n{bad}").unwrap();
    let inventory = read_inventory(file.path(), Some("csv")).unwrap();
    let rows = check_rows(&inventory, &World::new().state);
    let all: Vec<Finding> = rows.bad.into_iter().flat_map(|(_, _, findings)| findings).collect();
    assert_eq!(all.len(), 500);
    let shown = capped(all, "fleet.csv");
    assert_eq!((shown.len(), shown[200].code.as_str()), (201, "too-many-findings"));
    assert!(shown[200].message.starts_with("300 further"));
}
