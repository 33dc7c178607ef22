//! The closed list of what findings can be about.
//!
//! Codes are for scripts: one is never renamed and never gets another meaning.

use serde::Serialize;
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What kind of finding it is: the closed list of codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The kebab-case word shown to people and scripts.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

codes! {
    /// There is nothing at the given path.
    MissingPath = "missing-path",
    /// A file or directory cannot be read.
    UnreadableFile = "unreadable-file",
    /// A directory has no documents.
    EmptyDirectory = "empty-directory",
    /// A file has no documents (a warning).
    EmptyFile = "empty-file",
    /// A symbolic link leads back to a directory that contains it.
    SymlinkLoop = "symlink-loop",
    /// A file, tree or list is beyond a bound.
    TooLarge = "too-large",
    /// There are more findings than are shown.
    TooManyFindings = "too-many-findings",
    /// Nesting is beyond the bound.
    TooDeep = "too-deep",
    /// Aliases expand beyond the bound.
    TooManyAliases = "too-many-aliases",
    /// The file is not UTF-8.
    NotUtf8 = "not-utf8",
    /// The file is not text.
    BinaryFile = "binary-file",
    /// A character that YAML readers disagree about.
    BadCharacter = "bad-character",
    /// The YAML is malformed.
    YamlSyntax = "yaml-syntax",
    /// A tab is used as indentation.
    TabIndentation = "tab-indentation",
    /// A key is given twice.
    DuplicateKey = "duplicate-key",
    /// `<<` is used.
    MergeKey = "merge-key",
    /// A YAML tag or directive is used.
    TagNotSupported = "tag-not-supported",
    /// An alias has no anchor before it.
    UnknownAlias = "unknown-alias",
    /// A plain scalar that YAML readers read differently.
    AmbiguousScalar = "ambiguous-scalar",
    /// Two YAML readers read the file differently.
    ReadersDisagree = "readers-disagree",
    /// `apiVersion` is missing or unknown.
    ApiVersion = "api-version",
    /// `kind` is unknown.
    UnknownKind = "unknown-kind",
    /// A key is unknown where it stands.
    UnknownKey = "unknown-key",
    /// A required key is missing.
    MissingField = "missing-field",
    /// A key has no value.
    EmptyValue = "empty-value",
    /// A list has no items.
    EmptyList = "empty-list",
    /// A list names the same thing twice.
    DuplicateItem = "duplicate-item",
    /// A mapping, list or text stands where something else belongs.
    WrongType = "wrong-type",
    /// A field that this version does not enforce.
    NotSupported = "not-supported",
    /// Two documents of one kind have one name.
    DuplicateDocument = "duplicate-document",
    /// A text cannot be a name.
    BadName = "bad-name",
    /// A word is not one of the allowed words.
    UnknownWord = "unknown-word",
    /// A time zone is unknown.
    UnknownZone = "unknown-zone",
    /// A currency is unknown.
    UnknownCurrency = "unknown-currency",
    /// A text is not money.
    BadMoney = "bad-money",
    /// A text is not a number, or out of range.
    BadNumber = "bad-number",
    /// A text is not a percentage, or out of range.
    BadPercent = "bad-percent",
    /// A text is not a number of days.
    BadDays = "bad-days",
    /// A text is not a term.
    BadTerm = "bad-term",
    /// A text is not a time of day.
    BadTime = "bad-time",
    /// A text is not a date.
    BadDate = "bad-date",
    /// A text is not a size in bytes or a duration.
    BadSize = "bad-size",
    /// A text is not a renewal day.
    BadRenewalDay = "bad-renewal-day",
    /// Two fields exclude each other.
    ConflictingFields = "conflicting-fields",
    /// `terms.default` is not among `terms.allowed`.
    DefaultNotAllowed = "default-not-allowed",
    /// A name that no document has.
    DanglingName = "dangling-name",
    /// A plugin with another role than the place needs.
    WrongRole = "wrong-role",
    /// Two currencies where one is needed.
    CurrencyMismatch = "currency-mismatch",
    /// A price file is malformed.
    BadCsv = "bad-csv",
    /// Two prices hold for one sku and term on one date.
    OverlappingPrices = "overlapping-prices",
    /// Policies of one priority match the same resource.
    PolicyOverlap = "policy-overlap",
    /// A text is not a grant.
    BadGrant = "bad-grant",
    /// A grant that no request of the plugin can use.
    UnusedGrant = "unused-grant",
    /// A path that cannot be written to.
    BadPath = "bad-path",
    /// A text is not a URL that can be sent to.
    BadUrl = "bad-url",
    /// A text is not the name of an environment variable.
    BadVariable = "bad-variable",
    /// A component is refused by the plugin host.
    PluginRefused = "plugin-refused",
    /// A plugin finds fault with its configuration.
    PluginConfig = "plugin-config",
    /// An anchor day does not give the expiry's own date.
    AnchorMismatch = "anchor-mismatch",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
