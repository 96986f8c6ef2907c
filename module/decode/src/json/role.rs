//! The meaning of a key in a Windows event, by its name and its section.

use super::Section;

/// Which part of an event a member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Part {
    /// None, except that it may be data of the event.
    #[default]
    None,
    Id,
    Provider,
    Channel,
    Computer,
    RecordId,
    User,
    /// The `Security` element, which has the user as an attribute.
    UserElement,
    Version,
    /// The time of the event, unambiguous.
    Created,
    /// NXLog's `EventTime`, usually local time.
    EventTime,
    /// `@timestamp`: time of the event (Winlogbeat), or of its receipt (Logstash).
    At,
    OtherTime,
    Message,
    /// Values by position.
    Inserts,
    /// The event's data as text.
    DataText,
    /// The whole event as XML.
    Xml,
    /// Information about the event in the Elastic Common Schema.
    Ecs,
}

/// The meaning of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Role {
    /// Which part of the event it is.
    pub part: Part,
    /// Rank if several members are the same part: lower is better.
    pub rank: u8,
    /// Whether it is also a field of the event in records with everything at the top level.
    pub is_field: bool,
}

impl Role {
    const fn of(part: Part, rank: u8) -> Self {
        Self { part, rank, is_field: true }
    }

    /// A part that is not a field as well.
    const fn only(part: Part) -> Self {
        Self { part, rank: 0, is_field: false }
    }

    /// The meaning of `key` in `section`.
    #[inline]
    pub fn find(section: Section, key: &str) -> Self {
        let found = match section {
            Section::Top => return Self::at_top(key),
            Section::EventData | Section::UserData => (Part::None, 0),
            Section::Winlog => match key {
                "event_id" => (Part::Id, 0),
                "provider_name" => (Part::Provider, 0),
                "channel" => (Part::Channel, 0),
                "computer_name" => (Part::Computer, 0),
                "record_id" => (Part::RecordId, 0),
                "version" => (Part::Version, 0),
                "time_created" => (Part::Created, 0),
                "user" | "user.identifier" => (Part::User, 0),
                _ => (Part::None, 0),
            },
            Section::System => match key {
                "EventID" => (Part::Id, 0),
                "Provider" => (Part::Provider, 0),
                "Provider_attributes" => (Part::Provider, 1),
                "Channel" => (Part::Channel, 0),
                "Computer" => (Part::Computer, 0),
                "EventRecordID" => (Part::RecordId, 0),
                "Version" => (Part::Version, 0),
                "TimeCreated" | "TimeCreated_attributes" => (Part::Created, 0),
                "Security" | "Security_attributes" => (Part::UserElement, 0),
                _ => (Part::None, 0),
            },
        };
        Self { part: found.0, rank: found.1, is_field: false }
    }

    /// Grouped by length, so that a key is compared with few others.
    fn at_top(key: &str) -> Self {
        let none = Self::only(Part::None);
        match key.len() {
            2 if key == "Id" => Self::of(Part::Id, 1),
            3 if key == "Sid" => Self::of(Part::User, 2),
            4 => match key {
                "time" | "date" => Self::of(Part::OtherTime, 0),
                "host" => Self::of(Part::Computer, 9),
                _ => Self::of(Part::None, 0),
            },
            5 if key == "event" => Self::of(Part::Ecs, 0),
            6 => match key {
                "Source" => Self::of(Part::Provider, 3),
                "System" => Self::of(Part::Xml, 0),
                "UserID" | "UserId" => Self::of(Part::User, 1),
                _ => Self::of(Part::None, 0),
            },
            7 => match key {
                "EventID" => Self::only(Part::Id),
                "EventId" => Self::of(Part::Id, 0),
                "Channel" => Self::only(Part::Channel),
                "Message" | "message" => Self::only(Part::Message),
                "LogName" => Self::of(Part::Channel, 1),
                "Version" | "version" => Self::of(Part::Version, 0),
                _ => Self::of(Part::None, 0),
            },
            8 => match key {
                "Hostname" => Self::only(Part::Computer),
                "Computer" => Self::of(Part::Computer, 0),
                "event_id" => Self::of(Part::Id, 0),
                "RecordId" => Self::of(Part::RecordId, 1),
                "log_name" => Self::of(Part::Channel, 0),
                "EventLog" => Self::of(Part::Channel, 2),
                "Provider" => Self::of(Part::Provider, 2),
                "@version" | "Keywords" | "Severity" | "ThreadID" => none,
                _ => Self::of(Part::None, 0),
            },
            9 => match key {
                "EventTime" => Self::only(Part::EventTime),
                "EventCode" => Self::of(Part::Id, 1),
                "EventData" | "UserData" => Self::of(Part::DataText, 0),
                "timestamp" => Self::of(Part::OtherTime, 0),
                _ => Self::of(Part::None, 0),
            },
            10 => match key {
                "SourceName" => Self::only(Part::Provider),
                "@timestamp" => Self::only(Part::At),
                "SystemTime" => Self::of(Part::Created, 0),
                "Properties" => Self::of(Part::Inserts, 0),
                "event.code" => Self::of(Part::Id, 1),
                _ => Self::of(Part::None, 0),
            },
            11 => match key {
                "TimeCreated" => Self::only(Part::Created),
                "source_name" => Self::of(Part::Provider, 0),
                "MachineName" => Self::of(Part::Computer, 1),
                "OpcodeValue" => none,
                _ => Self::of(Part::None, 0),
            },
            12 => match key {
                "RecordNumber" => Self::only(Part::RecordId),
                "ProviderName" => Self::of(Part::Provider, 1),
                "ComputerName" => Self::of(Part::Computer, 1),
                "ParameterXml" => Self::of(Part::DataText, 1),
                "ProviderGuid" => none,
                _ => Self::of(Part::None, 0),
            },
            13 => match key {
                "computer_name" => Self::of(Part::Computer, 0),
                "record_number" | "EventRecordID" | "EventRecordId" => Self::of(Part::RecordId, 0),
                "StringInserts" => Self::of(Part::Inserts, 0),
                "TimeGenerated" => Self::of(Part::OtherTime, 0),
                "SeverityValue" => none,
                _ => Self::of(Part::None, 0),
            },
            15 if key == "EventSourceName" => Self::of(Part::Provider, 2),
            16 if matches!(key, "SourceModuleName" | "SourceModuleType") => none,
            17 if key == "EventReceivedTime" => none,
            18 if key == "ExecutionProcessID" => none,
            _ => Self::of(Part::None, 0),
        }
    }
}
