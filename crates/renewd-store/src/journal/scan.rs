//! Walks the chain run by run. A run is handed out only when its commit mark has been read and everything fits.
//!
//! Must never hand out an event of an unclosed run, and never decide whether what follows the last closed run
//! is torn or damaged: that is `tail`.

use super::error::JournalError;
use super::header::{self, RunExtent, RunHeader};
use super::reader::Reader;
use super::record::{Decoded, Kind, Record};
use crate::sequence::{Head, Place, Sequence};

/// An event record of a run.
#[derive(Debug, Clone)]
pub(crate) struct EventAt {
    pub(crate) sequence: Sequence,
    pub(crate) offset: u64,
    pub(crate) payload: Vec<u8>,
}

/// A closed run: one commit.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) header: RunHeader,
    pub(crate) header_offset: u64,
    pub(crate) events: Vec<EventAt>,
    pub(crate) place: Place,
}

/// Why the chain does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The file ends inside a record or inside a run.
    Ends,
    /// The bytes are not a record.
    Bad(&'static str),
    /// An intact record that does not belong here. No crash can bring that about.
    Misplaced(&'static str),
}

impl Fault {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Ends => "the file ends inside it",
            Self::Bad(reason) | Self::Misplaced(reason) => reason,
        }
    }
}

/// What follows the last closed run.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    pub(crate) record: Sequence,
    pub(crate) offset: u64,
    pub(crate) fault: Fault,
    /// Where the run would end, if its header record could be read.
    pub(crate) run_end: Option<u64>,
}

/// The result of a walk.
#[derive(Debug, Clone)]
pub(crate) struct Scanned {
    /// The last closed run.
    pub(crate) place: Place,
    /// What follows it, if anything does.
    pub(crate) tail: Option<Tail>,
}

enum Step {
    Run(Run),
    Tail(Tail),
}

/// Walks from `from` to the end, handing every closed run to `visit`.
pub(crate) fn scan<E: From<JournalError>>(
    reader: &mut Reader<'_>,
    from: Place,
    mut visit: impl FnMut(Run) -> Result<(), E>,
) -> Result<Scanned, E> {
    let mut place = from;
    while place.end_offset < reader.length() {
        match read_run(reader, place)? {
            Step::Run(run) => {
                place = run.place;
                visit(run)?;
            }
            Step::Tail(tail) => return Ok(Scanned { place, tail: Some(tail) }),
        }
    }
    Ok(Scanned { place, tail: None })
}

/// Where the walk is inside a run.
struct Cursor {
    head: Head,
    offset: u64,
    run_end: Option<u64>,
}

impl Cursor {
    fn tail(&self, fault: Fault) -> Step {
        Step::Tail(Tail { record: self.head.sequence.next(), offset: self.offset, fault, run_end: self.run_end })
    }

    /// Reads the next record and checks that it continues the chain.
    ///
    /// INVARIANT (chain): a record is accepted only if it names the hash of the record before it and the next
    /// number. A head hash therefore stands for every byte before it.
    fn next(&mut self, reader: &mut Reader<'_>) -> Result<Result<Record, Fault>, JournalError> {
        let record = match reader.record(self.offset)? {
            Decoded::Good(record) => record,
            Decoded::Short => return Ok(Err(Fault::Ends)),
            Decoded::Bad(reason) => return Ok(Err(Fault::Bad(reason))),
        };
        if record.sequence != self.head.sequence.next() {
            return Ok(Err(Fault::Misplaced("its number is not the next one")));
        }
        if record.previous != self.head.hash {
            return Ok(Err(Fault::Misplaced("it does not continue the record before it")));
        }
        Ok(Ok(record))
    }

    fn pass(&mut self, record: &Record) {
        self.head = Head { sequence: record.sequence, hash: record.hash };
        self.offset += record.bytes();
    }
}

fn read_run(reader: &mut Reader<'_>, from: Place) -> Result<Step, JournalError> {
    let mut cursor = Cursor { head: from.head, offset: from.end_offset, run_end: None };
    let (extent, header) = match read_header(reader, &mut cursor)? {
        Ok(header) => header,
        Err(fault) => return Ok(cursor.tail(fault)),
    };
    let mut events = Vec::new();
    loop {
        let record = match cursor.next(reader)? {
            Ok(record) => record,
            Err(fault) => return Ok(cursor.tail(fault)),
        };
        match record.kind {
            Kind::Header => return Ok(cursor.tail(Fault::Misplaced("a commit begins before the last one is closed"))),
            Kind::Event => {
                if events.len() as u64 >= u64::from(extent.events) {
                    return Ok(cursor.tail(Fault::Misplaced("the commit has more records than its header says")));
                }
                let offset = cursor.offset;
                cursor.pass(&record);
                events.push(EventAt { sequence: record.sequence, offset, payload: record.payload });
            }
            Kind::Mark => {
                let mark_offset = cursor.offset;
                let end = mark_offset + record.bytes();
                let complete = events.len() as u64 == u64::from(extent.events)
                    && record.payload == header::mark_payload(extent.events)
                    && cursor.run_end == Some(end);
                if !complete {
                    return Ok(cursor.tail(Fault::Misplaced("the commit mark does not fit its commit")));
                }
                cursor.pass(&record);
                let place = Place { head: cursor.head, mark_offset, end_offset: end };
                return Ok(Step::Run(Run { header, header_offset: from.end_offset, events, place }));
            }
        }
    }
}

type HeaderRead = Result<(RunExtent, RunHeader), Fault>;

fn read_header(reader: &mut Reader<'_>, cursor: &mut Cursor) -> Result<HeaderRead, JournalError> {
    let record = match cursor.next(reader)? {
        Ok(record) => record,
        Err(fault) => return Ok(Err(fault)),
    };
    if record.kind != Kind::Header {
        return Ok(Err(Fault::Misplaced("it is outside of any commit")));
    }
    let Some((extent, header)) = header::parse_header_payload(&record.payload) else {
        return Ok(Err(Fault::Misplaced("its content is not that of a commit's first record")));
    };
    cursor.pass(&record);
    cursor.run_end = cursor.offset.checked_add(extent.rest_bytes);
    Ok(Ok((extent, header)))
}
