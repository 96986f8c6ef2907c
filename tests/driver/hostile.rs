//! Modifies the shipped module so that some of its functions misbehave when they are called.
//!
//! Instructions are inserted at the start of a function body. That does not change any index, so only the code section
//! of the core module, and the lengths of the enclosing sections, change.

/// The behaviour of a modified function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It traps.
    Trap,
    /// It loops forever.
    Loop,
    /// It grows memory without end.
    Grow,
}

impl Does {
    fn instructions(self) -> &'static [u8] {
        match self {
            // unreachable
            Self::Trap => &[0x00],
            // loop; br 0; end
            Self::Loop => &[0x03, 0x40, 0x0c, 0x00, 0x0b],
            // loop; i32.const 16; memory.grow; drop; br 0; end
            Self::Grow => &[0x03, 0x40, 0x41, 0x10, 0x40, 0x00, 0x1a, 0x0c, 0x00, 0x0b],
        }
    }
}

/// A change to a module.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The export name of the function in the core module, without the package, such as
    /// `detector@0.1.0#[method]detector.evaluate`.
    pub function: &'a str,
    /// Condition: a parameter, counted from 0, and its value (less than 64); `None`: always.
    pub when: Option<(u8, u8)>,
    /// Its behaviour.
    pub does: Does,
}

/// `component` with `changes`. One of a component's core modules exports each of the functions.
pub fn hostile(component: &[u8], changes: &[Change<'_>]) -> Vec<u8> {
    let mut done = 0;
    let changed = sections(component, |id, content| {
        const CORE_MODULE: u8 = 1;
        (id == CORE_MODULE).then(|| core(content, changes, &mut done))
    });
    assert_eq!(done, changes.len(), "each function to be changed is exported once");
    changed
}

fn core(module: &[u8], changes: &[Change<'_>], done: &mut usize) -> Vec<u8> {
    const IMPORTS: u8 = 2;
    const EXPORTS: u8 = 7;
    const CODE: u8 = 10;
    let mut exported = Vec::new();
    each(module, EXPORTS, |bytes| {
        let (name, kind, index) = (bytes.name(), bytes.byte(), bytes.number());
        let function = name.strip_prefix("backchannel:detection/").unwrap_or_default();
        let meant = changes.iter().filter(|change| kind == 0 && change.function == function);
        exported.extend(meant.map(|change| (index, *change)));
    });
    if exported.is_empty() {
        return module.to_vec();
    }
    *done += exported.len();
    let mut imported = 0;
    each(module, IMPORTS, |bytes| {
        let (_module, _name, kind, _type) = (bytes.name(), bytes.name(), bytes.byte(), bytes.number());
        assert_eq!(kind, 0, "the module imports functions only: those of its own resources");
        imported += 1;
    });
    sections(module, |id, content| {
        if id != CODE {
            return None;
        }
        let mut bytes = Bytes { data: content, at: 0 };
        let bodies = bytes.number();
        let mut out = Vec::with_capacity(content.len() + 64);
        number(bodies, &mut out);
        for index in 0..bodies {
            let body = bytes.take();
            let of: Vec<Change<'_>> =
                exported.iter().filter(|(of, _)| *of == index + imported).map(|(_, change)| *change).collect();
            let body = if of.is_empty() { body.to_vec() } else { prefixed(body, &of) };
            number(body.len() as u32, &mut out);
            out.extend_from_slice(&body);
        }
        Some(out)
    })
}

/// The entries of a section that is a list.
fn each(module: &[u8], section: u8, mut entry: impl FnMut(&mut Bytes<'_>)) {
    sections(module, |id, content| {
        if id == section {
            let mut bytes = Bytes { data: content, at: 0 };
            for _ in 0..bytes.number() {
                entry(&mut bytes);
            }
        }
        None
    });
}

/// A function's body with instructions before its first.
fn prefixed(body: &[u8], changes: &[Change<'_>]) -> Vec<u8> {
    let mut bytes = Bytes { data: body, at: 0 };
    for _ in 0..bytes.number() {
        let (_count, _type) = (bytes.number(), bytes.byte());
    }
    let (locals, instructions) = body.split_at(bytes.at);
    let mut out = locals.to_vec();
    for change in changes {
        match change.when {
            // local.get; i32.const; i32.eq; if; ...; end
            Some((parameter, value)) => {
                out.extend_from_slice(&[0x20, parameter, 0x41, value, 0x46, 0x04, 0x40]);
                out.extend_from_slice(change.does.instructions());
                out.push(0x0b);
            }
            None => out.extend_from_slice(change.does.instructions()),
        }
    }
    out.extend_from_slice(instructions);
    out
}

/// A module or component with `change` applied to its sections, which returns new content or keeps the old.
fn sections(binary: &[u8], mut change: impl FnMut(u8, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    const HEADER: usize = 8;
    let mut bytes = Bytes { data: binary, at: HEADER };
    let mut out = binary[..HEADER].to_vec();
    while bytes.at < binary.len() {
        let id = bytes.byte();
        let content = bytes.take();
        let changed = change(id, content);
        let content = changed.as_deref().unwrap_or(content);
        out.push(id);
        number(content.len() as u32, &mut out);
        out.extend_from_slice(content);
    }
    out
}

/// Writes a number in LEB128.
fn number(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Bytes<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> u8 {
        self.at += 1;
        self.data[self.at - 1]
    }

    fn number(&mut self) -> u32 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }

    /// Reads bytes with a length prefix.
    fn take(&mut self) -> &'a [u8] {
        let length = self.number() as usize;
        self.at += length;
        &self.data[self.at - length..self.at]
    }

    fn name(&mut self) -> &'a str {
        std::str::from_utf8(self.take()).expect("names are UTF-8")
    }
}
