//! The registry of formats: one file each, and one line each in `formats!` below, from which everything else is
//! derived.
//!
//! The `FORMAT` of a file has the name of the format, how its inputs are recognised, and how its records are read.
//! There are three kinds: [`TextFormat`] (lines or elements with a reader of their own), JSON (a list of [`Shape`]s,
//! because JSON records differ by their members and not by their first bytes) and [`BinaryFormat`] (read by the hosts
//! in pieces).
//!
//! The reader of a format is chosen once per input, when its [`Decoder`] is made. The shape of a JSON
//! record is determined for each record, because streams mix them; [`crate::json`] describes how this is kept fast.

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

/// One line per format: the variant, and the file with its `FORMAT`. The order is that of recognition: if two formats
/// match an input or a record equally well, the first one is chosen.
macro_rules! formats {
    (text: $($variant:ident = $file:ident,)* ; binary: $($binary:ident = $binary_file:ident,)*) => {
        /// A text format; `docs/formats.md` describes each. For JSON, it is the format of most records of the input;
        /// the decoder determines the shape of each record, so a stream may mix them.
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

            /// Name and description of the format.
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

/// Name and description of a format, for documents, options and `docs/formats.md`.
#[derive(Debug)]
#[non_exhaustive]
pub struct About {
    /// The name in documents and options: lower case, words joined by hyphens.
    pub name: &'static str,
    /// The title in documentation.
    pub title: &'static str,
    /// Description, one sentence.
    pub description: &'static str,
    /// How an input or a record is recognised, one sentence.
    pub recognised: &'static str,
    /// An example of each shape; none if records are binary.
    pub examples: &'static [Example],
}

/// An example of a record.
#[derive(Debug)]
#[non_exhaustive]
pub struct Example {
    /// The software that writes such records.
    pub shape: &'static str,
    /// The record, with the header lines it needs.
    pub record: &'static str,
}

/// A text format.
pub(crate) struct Spec {
    pub about: About,
    pub carrier: Carrier,
}

/// The carrier of a text format.
pub(crate) enum Carrier {
    /// JSON objects of these shapes.
    Json(&'static [Shape]),
    /// Text with its own reader.
    Text(TextFormat),
}

/// A binary format. Hosts read it in pieces, through the items of its module.
pub(crate) struct BinaryFormat {
    pub about: About,
    /// First bytes of such a file.
    pub magic: &'static [u8],
}

/// How text that is not JSON is recognised and read.
pub(crate) struct TextFormat {
    /// Framing: how its records follow each other.
    pub framing: Framing,
    /// How certain it is that an input with this beginning has the format.
    pub recognise: fn(&Start<'_>) -> Option<Certainty>,
    /// Reads a record of an input. It is not called for JSON objects and `<Event>` elements, which are self-describing
    /// in every input.
    pub read: Read,
    /// Reads a record that was found inside another one.
    pub inside: Option<Inside>,
}

/// Reads a record of an input. The decoder keeps the state, and unwraps records inside others.
pub(crate) type Read = for<'a> fn(&mut Decoder, &'a str, &Context<'a, '_>) -> Result<Decoded<'a>, Failure>;

/// Reads text inside a shipper's object or a syslog line; `None` if it does not have the format.
pub(crate) type Inside =
    for<'a> fn(&mut State, Outer<'a>, &'a str, &Context<'a, '_>) -> Option<Result<Outcome<'a>, Failure>>;

/// A shape of JSON objects that give records.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Required keys at the top level: of each group at least one. A shape with keys costs almost nothing for records
    /// that lack them, so a shape should have some.
    pub keys: &'static [&'static [&'static str]],
    /// Whether an input has the shape's format, by the members of its first record, which may be incomplete.
    pub is: fn(&crate::json::Members<'_>) -> bool,
    /// Reads an object that has the required keys. `Ok(None)`: it has another shape. An error: it seems to have this
    /// shape, and lacks something; the error is returned if no later shape reads the object.
    pub read: for<'a> fn(&crate::json::Object<'a, '_>) -> Result<Option<Outcome<'a>>, Reason>,
}

/// Result of reading a record. Made once per record and moved immediately: boxing would cost more than the size.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome<'a> {
    /// A record.
    Record(Record<'a>),
    /// A Windows event that is not wanted.
    NotWanted { provider: &'a str, event_id: u32 },
    /// A line of syslog, which may contain another record.
    Syslog(SyslogLine<'a>),
    /// A shipper's object around a record, of which this is the text.
    Wrapped(Wrapped<'a>),
    /// Neither a record nor an error: a header, a comment.
    Nothing,
}

/// The wrapped record, and the shipper's information about it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Wrapped<'a> {
    pub text: &'a str,
    pub host: &'a str,
    pub time: Option<Timestamp>,
}

/// The wrapper in which a record was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer<'a> {
    /// The program of a syslog line; `None`: the wrapper is a shipper's object.
    pub program: Option<&'a str>,
    pub host: &'a str,
    pub time: Option<Timestamp>,
}

/// Why a record could not be read: offset in its text, from 0, and the reason.
pub(crate) type Failure = (Option<usize>, Reason);

/// Arguments of a reader besides the record.
pub(crate) struct Context<'a, 'c> {
    /// Arena for text that has to be built.
    pub arena: &'a Bump,
    /// Whether Windows events of this provider and event id are wanted.
    pub wants: &'c dyn Fn(&str, u32) -> bool,
    pub options: Options,
}

/// What readers keep between the records of an input: a field for each format that needs one.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub zeek: zeek_tsv::Header,
    pub calendar: syslog::Calendar,
}

/// How certain a format is of an input; the greatest value wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    /// Its records occur somewhere in the input.
    Inside,
    /// One of the first lines resembles it.
    Like,
    /// This one of the first lines, counted from 0, is certainly a record of it; earlier lines take precedence.
    Line(Reverse<usize>),
    /// The first bytes are decisive.
    Begins,
}

/// The beginning of an input, without leading white space.
pub(crate) struct Start<'b> {
    pub bytes: &'b [u8],
}

impl<'b> Start<'b> {
    /// The first lines. One may not be enough: it may be the incomplete end of a rotated file.
    pub fn lines(&self) -> impl Iterator<Item = Cow<'b, str>> {
        self.bytes.split(|byte| *byte == b'\n').take(8).map(|line| String::from_utf8_lossy(line.trim_ascii_end()))
    }

    /// The first of these lines that is certainly a record.
    pub fn line(&self, is: impl Fn(&str) -> bool) -> Option<Certainty> {
        self.lines().position(|line| is(&line)).map(|line| Certainty::Line(Reverse(line)))
    }
}

impl Format {
    /// Name and description of the format.
    pub const fn about(self) -> &'static About {
        &self.spec().about
    }

    /// The name used in documents and options (`windows-json`, `auditd`, ...).
    pub const fn as_str(self) -> &'static str {
        self.about().name
    }

    /// The format with this name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Its framing if the bytes were not examined.
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

    /// The format with this name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|format| format.as_str() == name)
    }
}

/// The shapes of all JSON formats, with their format, in the order of recognition.
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

/// The text format that is most certain of an input, and its certainty.
pub(crate) fn recognise(start: &Start<'_>) -> Option<(Certainty, Format)> {
    let mut best: Option<(Certainty, Format)> = None;
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

/// Reads a record inside another one, with the first format that recognises it.
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

/// A line of a JSON input that is not an object.
fn read_stray_line<'a>(_: &mut Decoder, text: &'a str, _: &Context<'a, '_>) -> Result<Decoded<'a>, Failure> {
    let start = text.trim_ascii_start();
    match auditd::line(start) {
        Some(decoded) => Ok(decoded),
        None => Err((Some(text.len() - start.len()), Reason::NotJson("an object"))),
    }
}

#[cfg(test)]
mod tests;
