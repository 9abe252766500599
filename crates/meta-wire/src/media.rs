//! Media by id, and uploads for template examples and profile pictures.

use crate::loose::{Loose, MetaId};

wire! {
    /// What an upload is answered with.
    Uploaded {
        id: MetaId,
    }

    /// Where to fetch a medium, for five minutes and with the token.
    Media {
        id: MetaId,
        url?: String,
        mime_type?: String,
        sha256?: String,
        /// Bytes; text in the docs, a number in practice.
        file_size?: Loose,
        messaging_product?: String,
    }

    /// An upload in parts: `id` is `upload:…`.
    UploadSession {
        id: String,
        file_offset?: Loose,
    }

    /// What the last part is answered with: a handle.
    UploadHandle {
        h: String,
    }
}
