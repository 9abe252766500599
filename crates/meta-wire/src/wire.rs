/// Structs of the wire. `name: T` must be there, `name?: T` may be missing or null, `name*: T` is a list that may be
/// missing; everything else is kept in `extra`.
macro_rules! wire {
    ($($(#[$meta:meta])* $name:ident { $($fields:tt)* })*) => {
        $(wire!(@fields [$(#[$meta])* $name] [] $($fields)*);)*
    };
    (@fields $head:tt [$($done:tt)*] $(#[$m:meta])* $field:ident ? : $ty:ty, $($rest:tt)*) => {
        wire!(@fields $head [$($done)*
            $(#[$m])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $field: Option<$ty>,
        ] $($rest)*);
    };
    (@fields $head:tt [$($done:tt)*] $(#[$m:meta])* $field:ident * : $ty:ty, $($rest:tt)*) => {
        wire!(@fields $head [$($done)*
            $(#[$m])*
            #[serde(default, deserialize_with = "crate::loose::list", skip_serializing_if = "Vec::is_empty")]
            pub $field: Vec<$ty>,
        ] $($rest)*);
    };
    (@fields $head:tt [$($done:tt)*] $(#[$m:meta])* $field:ident : $ty:ty, $($rest:tt)*) => {
        wire!(@fields $head [$($done)* $(#[$m])* pub $field: $ty,] $($rest)*);
    };
    (@fields [$(#[$meta:meta])* $name:ident] [$($done:tt)*]) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($done)*
            #[serde(flatten)]
            pub extra: crate::Extra,
        }
    };
}

/// Enums of Meta's words; a word that we do not know is kept as it came.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$m:meta])* $variant:ident = $word:literal,)* })*) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$m])* $variant,)*
            /// A word that Meta added later.
            Unknown(String),
        }

        impl $name {
            /// The word as Meta writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Unknown(word) => word,
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Unknown(String::new())
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Unknown(word),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    )* };
}

/// Enums for [`crate::Tagged`]: each kind with the type of the member that bears its name.
macro_rules! kinds {
    ($(#[$meta:meta])* $name:ident $(default $default:literal)? {
        $($(#[$m:meta])* $variant:ident($ty:ty) = $word:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $($(#[$m])* $variant($ty),)*
            /// A kind that we do not know, or one whose content is not what it was.
            Other { kind: String, value: Option<serde_json::Value> },
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Other { kind: String::new(), value: None }
            }
        }

        impl crate::tagged::Kinds for $name {
            $(const DEFAULT: &'static str = $default;)?

            fn kind(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $word,)*
                    Self::Other { kind, .. } => kind,
                }
            }

            fn read(kind: String, value: Option<serde_json::Value>) -> Self {
                match kind.as_str() {
                    $($word => match crate::tagged::content::<$ty>(value.as_ref()) {
                        Some(content) => Self::$variant(content),
                        None => Self::Other { kind, value },
                    },)*
                    _ => Self::Other { kind, value },
                }
            }

            fn write(&self) -> serde_json::Result<Option<serde_json::Value>> {
                match self {
                    $(Self::$variant(content) => serde_json::to_value(content).map(Some),)*
                    Self::Other { value, .. } => Ok(value.clone()),
                }
            }
        }
    };
}
