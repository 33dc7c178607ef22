//! The published versions of `renewd:plugin`, every one of which is served, for ever. `plugins/wit` has their texts.

/// The name of the WIT package.
pub(crate) const PACKAGE: &str = "renewd:plugin";

/// A published version of the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Before a real gateway worked through it.
    V0_1_0,
    /// Frozen.
    V1_0_0,
}

impl Version {
    /// All of them, newest first.
    pub(crate) const ALL: [Self; 2] = [Self::V1_0_0, Self::V0_1_0];
    /// All of them in words.
    pub(crate) const SERVED: &'static str = "0.1.0 and 1.0.0";

    /// As written behind the `@`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::V0_1_0 => "0.1.0",
            Self::V1_0_0 => "1.0.0",
        }
    }

    /// The full name of one of the package's interfaces or worlds in this version.
    pub(crate) fn name(self, of: &str) -> String {
        format!("{PACKAGE}/{of}@{}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_versions_are_named() {
        let mut names = Version::ALL.map(Version::as_str);
        names.reverse();
        assert_eq!(names.join(" and "), Version::SERVED);
        assert_eq!(Version::V1_0_0.name("log"), "renewd:plugin/log@1.0.0");
    }
}
