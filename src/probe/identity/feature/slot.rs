//! Slots: the places of values in a reply.

/// The number of a text that the extractor stores once.
pub type TextId = u32;

/// The place of a value in a reply. The order decides between features that are alike in everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// One of the known names, by its index among them.
    KnownName(u8),
    /// Another header.
    Header(TextId),
    /// The value of a cookie that the reply sets.
    Cookie(TextId),
    /// The part of a cookie's value that may name a route.
    Route(TextId, Separator),
    /// A scalar of a JSON body, by its pointer.
    Json(TextId),
    /// The word that stands `n` words after an anchor or, for a negative `n`, before it.
    Word(Anchor<TextId>, i8),
    /// The body as a whole.
    Body,
}

impl Slot {
    /// Returns whether the value is the body or a part of it.
    pub fn is_in_body(self) -> bool {
        matches!(self, Slot::Word(..) | Slot::Json(_) | Slot::Body)
    }
}

/// The point from which the place of a word is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Anchor<T> {
    /// A word that every such page has exactly once.
    Word(T),
    /// The beginning of the body.
    Start,
    /// The end of the body.
    End,
}

/// The greatest number of words from an anchor to a word.
pub const MAX_STEPS: usize = 6;

/// The character that separates a route from the rest of a cookie's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Separator {
    /// `SESSION.route` or `SESSION!route`: the route stands after the last one.
    Last(char),
    /// `route~SESSION` or `route|…`: the route stands before the first one.
    First(char),
}

impl Separator {
    pub const ALL: [Separator; 4] =
        [Separator::Last('.'), Separator::Last('!'), Separator::First('~'), Separator::First('|')];

    /// The part of a cookie's value that may name a route.
    pub fn route(self, value: &str) -> Option<&str> {
        let (route, rest) = match self {
            Separator::Last(separator) => value.rsplit_once(separator).map(|(rest, route)| (route, rest)),
            Separator::First(separator) => value.split_once(separator),
        }?;
        (!route.is_empty() && !rest.is_empty()).then_some(route)
    }
}
