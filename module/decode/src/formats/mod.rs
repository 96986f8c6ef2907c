//! The registry of formats: one file each, one line each in [`formats!`] below, and everything else follows from it.
//!
//! A file says in its `FORMAT` what the format is called, how an input of it is recognised and how its records are
//! read. Three kinds exist: [`TextFormat`] (lines or elements with a reader of their own), JSON (a list of [`Shape`]s, because
//! JSON records differ by their members and not by their first bytes) and [`BinaryFormat`] (read by the hosts in pieces).
//!
//! What is chosen by format is chosen once an input, when its [`Decoder`](crate::Decoder) is made. The shapes of a JSON
//! record are told apart record by record, because streams mix them; see [`crate::json`] for what keeps that quick.

mod auditd;
mod endpoint_security;
mod events;
pub mod evtx;
mod json;
mod laurel;
mod syslog;
pub(crate) mod windows_json;
pub(crate) mod windows_xml;
mod zeek_json;
mod zeek_tsv;

use std::borrow::Cow;
use std::cmp::Reverse;

use backchannel_events::Timestamp;
use backchannel_normalize::{Record, SyslogLine};
use bumpalo::Bump;

use crate::{Decoded, Decoder, Framing, Options, Reason};

/// One line a format: the variant, and the file with its `FORMAT`. The order is that of recognition: where two formats
/// are equally sure of an input or a record, the first one has it.
macro_rules! formats {
    (text: $($variant:ident = $file:ident,)* ; binary: $($binary:ident = $binary_file:ident,)*) => {
        /// A format whose records are text; `docs/formats.md` describes each. JSON formats are what the input seems to
        /// hold mostly: a decoder looks at each JSON record anew, so that a stream may mix them.
        #[allow(missing_docs)] // Each variant is documented in its file, under the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Format {
            $($variant,)*
        }

        impl Format {
            /// All formats, in the order of recognition.
            pub const ALL: [Self; [$(Self::$variant),*].len()] = [$(Self::$variant),*];

            pub(crate) const fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$variant => &$file::FORMAT,)*
                }
            }
        }

        /// A format of an input: text with records, or one of the binary formats.
        #[allow(missing_docs)] // As above.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum InputFormat {
            $($binary,)*
            /// Text with records.
            Text(Format),
        }

        impl InputFormat {
            /// The binary formats.
            const BINARY: &'static [Self] = &[$(Self::$binary),*];

            /// How the format is named and described.
            pub const fn about(self) -> &'static About {
                match self {
                    $(Self::$binary => &$binary_file::FORMAT.about,)*
                    Self::Text(format) => format.about(),
                }
            }
        }
    };
}

formats! {
    text:
    WindowsJson = windows_json,
    WindowsXml = windows_xml,
    Auditd = auditd,
    Laurel = laurel,
    ZeekTsv = zeek_tsv,
    Syslog = syslog,
    EndpointSecurity = endpoint_security,
    Events = events,
    ZeekJson = zeek_json,
    Json = json,
    ;
    binary:
    Evtx = evtx,
}

/// How a format is named and described: what documents, options and `docs/formats.md` say of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct About {
    /// The name in documents and options: lower case, words joined by hyphens.
    pub name: &'static str,
    /// The name for readers.
    pub title: &'static str,
    /// What it is, in one sentence.
    pub description: &'static str,
    /// What an input or a record of it is recognised by, in one sentence.
    pub recognised: &'static str,
    /// A record of each shape that is read; none where records are binary.
    pub examples: &'static [Example],
}

/// An example of a record.
#[derive(Debug)]
#[non_exhaustive]
pub struct Example {
    /// Who writes records like this.
    pub shape: &'static str,
    /// The record, with the header lines that it needs.
    pub record: &'static str,
}

/// A text format.
pub(crate) struct Spec {
    pub about: About,
    pub carrier: Carrier,
}

/// What the records of a text format are.
pub(crate) enum Carrier {
    /// JSON objects of these shapes.
    Json(&'static [Shape]),
    /// Text with a reader of its own.
    Text(TextFormat),
}

/// A binary format. Hosts read it in pieces, through the items of its module.
pub(crate) struct BinaryFormat {
    pub about: About,
    /// What a file of it begins with.
    pub magic: &'static [u8],
}

/// How text that is no JSON is recognised and read.
pub(crate) struct TextFormat {
    /// How its records follow each other.
    pub framing: Framing,
    /// How sure it is that an input that begins like this is of the format.
    pub recognise: fn(&Start<'_>) -> Option<Clue>,
    /// Reads a record of such an input. JSON objects and `<Event>` elements are not handed to it: they are read as
    /// what they are, whatever the input.
    pub read: Read,
    /// Reads a record that was found inside another one.
    pub inside: Option<Inside>,
}

/// Reads a record of an input. The decoder has the state, and reads on where a record is inside another one.
pub(crate) type Read = for<'a> fn(&mut Decoder, &'a str, &Context<'a, '_>) -> Result<Decoded<'a>, Failure>;

/// Reads what stands inside a shipper's object or a syslog line; `None`: it is not of the format.
pub(crate) type Inside =
    for<'a> fn(&mut State, Outer<'a>, &'a str, &Context<'a, '_>) -> Option<Result<Outcome<'a>, Failure>>;

/// A kind of JSON object that gives records.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Keys that such an object has at its top, of each group at least one. A record that lacks them costs the shape
    /// next to nothing, so a shape should have some.
    pub keys: &'static [&'static [&'static str]],
    /// Whether an input whose first record has these members is of the shape's format. The record may be cut off.
    pub is: fn(&crate::json::Members<'_>) -> bool,
    /// Reads an object that has the keys. `Ok(None)`: it is of another shape after all. An error: it seems to be of
    /// this one, and lacks something; it stands if no later shape reads the object.
    pub read: for<'a> fn(&crate::json::Object<'a, '_>) -> Result<Option<Outcome<'a>>, Reason>,
}

/// What reading a record gave. Made once a record and moved at once: a box would cost more than the size.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome<'a> {
    /// A record.
    Record(Record<'a>),
    /// A Windows event that is not wanted.
    NotWanted { provider: &'a str, event_id: u32 },
    /// A line of syslog, which may carry another record.
    Syslog(SyslogLine<'a>),
    /// A shipper's object around the record proper, which is this text.
    Wrapped(Wrapped<'a>),
    /// No record and no error: a header, a comment.
    Nothing,
}

/// The record proper, and what the shipper says about it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Wrapped<'a> {
    pub text: &'a str,
    pub host: &'a str,
    pub time: Option<Timestamp>,
}

/// What a record was found in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer<'a> {
    /// The program that a syslog line names; `None`: it was found in a shipper's object.
    pub program: Option<&'a str>,
    pub host: &'a str,
    pub time: Option<Timestamp>,
}

/// Why a record could not be used: where in its text (counted from 0), and the reason.
pub(crate) type Failure = (Option<usize>, Reason);

/// What a reader is given besides the record.
pub(crate) struct Context<'a, 'c> {
    /// Where text lives that has to be built.
    pub arena: &'a Bump,
    /// Whether a Windows event of this provider and event id can carry anything.
    pub wants: &'c dyn Fn(&str, u32) -> bool,
    pub options: Options,
}

/// What readers remember of an input from one record to the next: a field for each format that needs one.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub zeek: zeek_tsv::Header,
    pub calendar: syslog::Calendar,
}

/// How sure a format is of an input; of several, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Clue {
    /// Records of it stand somewhere inside.
    Inside,
    /// One of the first lines looks like it.
    Like,
    /// This line of the first ones is a record of it without doubt, counted from 0; an earlier one counts more.
    Line(Reverse<usize>),
    /// The first bytes say so.
    Begins,
}

/// The beginning of an input, without white space before it.
pub(crate) struct Start<'b> {
    pub bytes: &'b [u8],
}

impl<'b> Start<'b> {
    /// The first lines. One may not be enough: it may be the torn end of a rotated file.
    pub fn lines(&self) -> impl Iterator<Item = Cow<'b, str>> {
        self.bytes.split(|byte| *byte == b'\n').take(8).map(|line| String::from_utf8_lossy(line.trim_ascii_end()))
    }

    /// The first of these lines that is a record without doubt.
    pub fn line(&self, is: impl Fn(&str) -> bool) -> Option<Clue> {
        self.lines().position(|line| is(&line)).map(|line| Clue::Line(Reverse(line)))
    }
}

impl Format {
    /// How the format is named and described.
    pub const fn about(self) -> &'static About {
        &self.spec().about
    }

    /// The name used in documents and options (`windows-json`, `auditd`, ...).
    pub const fn as_str(self) -> &'static str {
        self.about().name
    }

    /// The format of that name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// How its records follow each other where the bytes were not looked at.
    pub const fn framing(self) -> Framing {
        match &self.spec().carrier {
            Carrier::Json(_) => Framing::Lines,
            Carrier::Text(text) => text.framing,
        }
    }

    /// Whether its records are JSON.
    pub const fn is_json(self) -> bool {
        matches!(self.spec().carrier, Carrier::Json(_))
    }

    pub(crate) fn reader(self) -> Read {
        match &self.spec().carrier {
            Carrier::Json(_) => read_stray_line,
            Carrier::Text(text) => text.read,
        }
    }
}

impl InputFormat {
    /// All formats, the binary ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::BINARY.iter().copied().chain(Format::ALL.into_iter().map(Self::Text))
    }

    /// The name used in documents and options.
    pub const fn as_str(self) -> &'static str {
        self.about().name
    }

    /// The format of that name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|format| format.as_str() == name)
    }
}

/// The shapes of all JSON formats with their format, in the order of recognition.
pub(crate) static SHAPES: [(Format, Shape); count_shapes()] = {
    let mut shapes = [(Format::Json, json::WRAPPED); count_shapes()];
    let (mut format, mut filled) = (0, 0);
    while format < Format::ALL.len() {
        if let Carrier::Json(of) = Format::ALL[format].spec().carrier {
            let mut shape = 0;
            while shape < of.len() {
                shapes[filled] = (Format::ALL[format], of[shape]);
                shape += 1;
                filled += 1;
            }
        }
        format += 1;
    }
    shapes
};

const fn count_shapes() -> usize {
    let (mut format, mut count) = (0, 0);
    while format < Format::ALL.len() {
        if let Carrier::Json(of) = Format::ALL[format].spec().carrier {
            count += of.len();
        }
        format += 1;
    }
    count
}

/// The text format that is surest of an input, if any is, and how sure it is.
pub(crate) fn recognise(start: &Start<'_>) -> Option<(Clue, Format)> {
    let mut best: Option<(Clue, Format)> = None;
    for format in Format::ALL {
        let Carrier::Text(text) = &format.spec().carrier else { continue };
        if let Some(clue) = (text.recognise)(start)
            && best.is_none_or(|(other, _)| clue > other)
        {
            best = Some((clue, format));
        }
    }
    best
}

/// Reads what stands inside another record, with the first format that knows it.
pub(crate) fn read_inside<'a>(
    state: &mut State,
    outer: Outer<'a>,
    text: &'a str,
    context: &Context<'a, '_>,
) -> Option<Result<Outcome<'a>, Failure>> {
    Format::ALL.into_iter().find_map(|format| match &format.spec().carrier {
        Carrier::Text(TextFormat { inside: Some(inside), .. }) => inside(state, outer, text, context),
        _ => None,
    })
}

/// A line of a JSON input that is no object.
fn read_stray_line<'a>(_: &mut Decoder, text: &'a str, _: &Context<'a, '_>) -> Result<Decoded<'a>, Failure> {
    let start = text.trim_ascii_start();
    match auditd::line(start) {
        Some(decoded) => Ok(decoded),
        None => Err((Some(text.len() - start.len()), Reason::NotJson("an object"))),
    }
}

#[cfg(test)]
mod tests;
