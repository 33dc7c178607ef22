//! `renewd-sim`: lives through many seeds, or through one with everything that happens in it.

#![allow(clippy::print_stdout, reason = "this program's answer is what it prints")]

use renewd_sim::summary::write;
use renewd_sim::{Campaign, Report, Workshop, run, simulate};
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: renewd-sim --seeds A..B [--threads N] [--doublecheck] [--fail-fast] [--json FILE]
       renewd-sim --seed N [--trace]
       renewd-sim --planted [NAME] --seeds A..B [--json FILE]     (built with the feature `planted`)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match start(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}\n{USAGE}");
            ExitCode::from(64)
        }
    }
}

fn value<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).map(String::as_str)
}

fn number(text: &str) -> io::Result<u64> {
    text.replace('_', "").parse().map_err(|_| io::Error::other(format!("`{text}` is not a number")))
}

fn start(arguments: &[String]) -> io::Result<bool> {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let Some(seed) = value(arguments, "--seed") {
        return one(number(seed)?, has("--trace"));
    }
    let Some((from, to)) = value(arguments, "--seeds").and_then(|seeds| seeds.split_once("..")) else {
        return Err(io::Error::other("which seeds?"));
    };
    let threads = value(arguments, "--threads").map_or(Ok(2), number)?;
    if has("--planted") {
        return planted(arguments, number(from)?..number(to)?, usize::try_from(threads).unwrap_or(1));
    }
    let campaign = Campaign {
        seeds: number(from)?..number(to)?,
        threads: usize::try_from(threads).unwrap_or(1),
        doublecheck: if has("--doublecheck") { 1 } else { 50 },
        fail_fast: has("--fail-fast"),
    };
    let began = Instant::now();
    let report = run(&campaign)?;
    show(&report, began.elapsed().as_secs_f64());
    if let Some(file) = value(arguments, "--json") {
        write(&report.fragment(&campaign.seeds), Path::new(file))?;
    }
    Ok(report.failed == 0)
}

#[cfg(feature = "planted")]
fn planted(arguments: &[String], seeds: std::ops::Range<u64>, threads: usize) -> io::Result<bool> {
    use renewd_sim::planted::{summary, try_all};
    std::panic::set_hook(Box::new(|_| {}));
    let only = value(arguments, "--planted").filter(|name| !name.starts_with("--")).unwrap_or_default();
    let tried = try_all(&seeds, threads, only, |it| match &it.caught {
        Some((seed, found)) => println!("caught  {:<28} by seed {seed:>5}: {}", it.name, found.replace('\n', " ")),
        None => println!("MISSED  {:<28} in {} seeds", it.name, it.seeds),
    })?;
    if let Some(file) = value(arguments, "--json") {
        write(&summary(&tried), Path::new(file))?;
    }
    let caught = tried.iter().filter(|it| it.caught.is_some()).count();
    println!("{caught} of {} planted faults are caught", tried.len());
    Ok(95 * tried.len() <= 100 * caught)
}

#[cfg(not(feature = "planted"))]
fn planted(_: &[String], _: std::ops::Range<u64>, _: usize) -> io::Result<bool> {
    Err(io::Error::other("this build has no planted faults: build it with `--features planted`"))
}

fn one(seed: u64, trace: bool) -> io::Result<bool> {
    let outcome = simulate(seed, trace, &mut Workshop::new()?)?;
    if trace || outcome.violation.is_some() {
        outcome.trace.iter().for_each(|line| println!("{line}"));
    }
    println!("seed {seed}: journal {} with {} renewals", outcome.journal, outcome.renewals);
    match outcome.violation {
        Some(violation) => {
            println!("WRONG  {violation}");
            Ok(false)
        }
        None => Ok(true),
    }
}

fn show(report: &Report, seconds: f64) {
    for failure in &report.failures {
        println!("\nseed {}: {}", failure.seed, failure.violation);
        for line in failure.trace.iter().rev().take(12).rev() {
            println!("  {line}");
        }
    }
    println!("\nfaults, and the share of seeds in which they struck:");
    for (fault, seeds) in &report.fired {
        println!("  {fault:<28} {:>6.1} %", 100.0 * *seeds as f64 / report.seeds.max(1) as f64);
    }
    println!("\nrecords, and the share of seeds in which there were any:");
    for (event, seeds) in &report.events {
        println!("  {event:<28} {:>6.1} %", 100.0 * *seeds as f64 / report.seeds.max(1) as f64);
    }
    report.rare().iter().for_each(|rare| println!("RARE  {rare}"));
    println!(
        "\n{} seeds ({} twice), {} renewals, {} failed; {:.0} seeds a minute",
        report.seeds,
        report.doublechecked,
        report.renewals,
        report.failed,
        60.0 * report.seeds as f64 / seconds.max(0.001)
    );
}
