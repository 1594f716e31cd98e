//! What is wrong with settings, and what is doubtful.

/// One thing that keeps the server from starting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wrong {
    /// The setting, where it is one setting's value that is wrong; commands that do not use it go on.
    pub name: Option<String>,
    /// What is wrong, where, and what to do.
    pub sentence: String,
}

impl Wrong {
    /// Something wrong with the file or with names, which stops every command.
    pub fn everywhere(sentence: impl Into<String>) -> Self {
        Self {
            name: None,
            sentence: sentence.into(),
        }
    }

    /// A wrong value of a setting.
    pub fn of(name: &str, sentence: impl Into<String>) -> Self {
        Self {
            name: Some(name.to_owned()),
            sentence: sentence.into(),
        }
    }
}

/// One thing that a server starts with, and had better not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    pub says: String,
    /// What to do.
    pub remedy: String,
}

impl Warning {
    pub fn new(says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            says: says.into(),
            remedy: remedy.into(),
        }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}; {}", self.says, self.remedy)
    }
}
