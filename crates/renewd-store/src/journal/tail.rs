//! Judges what follows the last closed run: torn by a crash (cut it) or damaged (refuse the journal).
//!
//! Must never call acknowledged bytes torn. The reasoning:
//!
//! - A run is written, then made durable with one sync, before the next one is begun. A crash can therefore
//!   leave at most one run that is not whole, and it is the last. Any 512-byte sector of that run may be
//!   missing, so it may have a bad record with good ones after it.
//! - After the sync the watermark is moved past the run. It is written without a sync of its own, so it outlives
//!   the process but may fall back with the power. A closed run beyond the watermark is thus normal.
//!
//! Hence: what lies below the watermark must be whole (`watermark-binds`); a bad record with a later run after
//! it is damage (`later-run`); what else is beyond the watermark is torn (`beyond-watermark`). Without a
//! watermark the benefit of the doubt is gone: any good record after the bad one is damage (`good-after-bad`),
//! and so is a run whose bytes are all there (`complete-run`); only a run that the file ends inside of is torn
//! (`incomplete-run`).

use super::error::{Damage, JournalError};
use super::reader::Reader;
use super::record::{Kind, RECORD_BYTES_MIN};
use super::scan::{Fault, Scanned, Tail};
use crate::sequence::Place;

/// What follows the last closed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Clean,
    /// A run that was never acknowledged; it begins at the end of the last closed run.
    Torn,
}

fn damage(last: Place, tail: &Tail, reason: &str) -> JournalError {
    Damage {
        record: tail.record,
        offset: tail.offset,
        reason: reason.to_owned(),
        intact_records: last.head.sequence,
        intact_bytes: last.end_offset,
    }
    .into()
}

/// Judges a walk. `watermark` is the newest intact one, if there is any.
pub(crate) fn judge(
    reader: &mut Reader<'_>,
    scanned: &Scanned,
    watermark: Option<Place>,
) -> Result<Verdict, JournalError> {
    let last = scanned.place;
    if let Some(mark) = watermark
        && last.end_offset < mark.end_offset
    {
        let reason = match &scanned.tail {
            Some(tail) => {
                format!("{}, and it was acknowledged (watermark: record {})", tail.fault.reason(), mark.head.sequence)
            }
            None => format!("the journal ends before its watermark (record {})", mark.head.sequence),
        };
        let end =
            Tail { record: last.head.sequence.next(), offset: last.end_offset, fault: Fault::Ends, run_end: None };
        return Err(damage(last, scanned.tail.as_ref().unwrap_or(&end), &reason));
    }
    let Some(tail) = &scanned.tail else { return Ok(Verdict::Clean) };
    if let Fault::Misplaced(reason) = tail.fault {
        return Err(damage(last, tail, reason));
    }
    let run_offset = last.end_offset;
    let later_run = reader.find_after(tail.offset + 1, |record, offset| {
        record.kind == Kind::Header && offset != run_offset && record.sequence > tail.record
    })?;
    if later_run.is_some() {
        return Err(damage(last, tail, &format!("{}, and a later commit follows it", tail.fault.reason())));
    }
    match watermark {
        Some(_) if renewd_core::planted::is("torn-tail-kept") => Ok(Verdict::Clean),
        Some(_) => Ok(Verdict::Torn),
        None => judge_without_watermark(reader, last, tail),
    }
}

fn judge_without_watermark(reader: &mut Reader<'_>, last: Place, tail: &Tail) -> Result<Verdict, JournalError> {
    let good_after = reader.find_after(tail.offset + 1, |record, _| record.sequence > tail.record)?;
    if good_after.is_some() {
        return Err(damage(last, tail, &format!("{}, and an intact record follows it", tail.fault.reason())));
    }
    let incomplete = match tail.run_end {
        Some(run_end) => reader.length() < run_end,
        // The header record itself is bad: the run is surely incomplete only if the file ends inside that record.
        None => tail.fault == Fault::Ends || reader.length() - tail.offset < RECORD_BYTES_MIN as u64,
    };
    if incomplete {
        return Ok(Verdict::Torn);
    }
    Err(damage(last, tail, &format!("{}, its commit is of full length, and no watermark is left", tail.fault.reason())))
}
