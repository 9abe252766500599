//! The block list of a number.

use crate::error::ItemError;

wire! {
    /// Blocks or unblocks. Only users who wrote within 24 hours can be blocked.
    Request {
        messaging_product: String,
        block_users*: User,
    }

    /// A phone number in `user`, or a business-scoped id in `user_id`.
    User {
        user?: String,
        user_id?: String,
    }

    /// A partial failure is HTTP 400 with error 139100 and these results beside it.
    Answer {
        messaging_product?: String,
        block_users?: Outcome,
    }

    Outcome {
        added_users*: Changed,
        removed_users*: Changed,
        failed_users*: Failed,
    }

    Changed {
        input?: String,
        wa_id?: String,
        user_id?: String,
    }

    Failed {
        input?: String,
        wa_id?: String,
        user_id?: String,
        errors*: ItemError,
    }

    /// A row of the list.
    Blocked {
        messaging_product?: String,
        wa_id?: String,
        user_id?: String,
    }
}
