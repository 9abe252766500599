//! The business profile of a number.

words! {
    /// The line of business.
    Vertical {
        Other = "OTHER",
        Auto = "AUTO",
        Beauty = "BEAUTY",
        Apparel = "APPAREL",
        Education = "EDU",
        Entertainment = "ENTERTAIN",
        EventPlanning = "EVENT_PLAN",
        Finance = "FINANCE",
        Grocery = "GROCERY",
        Government = "GOVT",
        Hotel = "HOTEL",
        Health = "HEALTH",
        Nonprofit = "NONPROFIT",
        ProfessionalServices = "PROF_SERVICES",
        Retail = "RETAIL",
        Travel = "TRAVEL",
        Restaurant = "RESTAURANT",
        Alcohol = "ALCOHOL",
        OnlineGambling = "ONLINE_GAMBLING",
        PhysicalGambling = "PHYSICAL_GAMBLING",
        OtcDrugs = "OTC_DRUGS",
        Undefined = "UNDEFINED",
        NotABusiness = "NOT_A_BIZ",
    }
}

wire! {
    /// What customers see. Answered inside a list of one.
    Profile {
        messaging_product?: String,
        about?: String,
        address?: String,
        description?: String,
        email?: String,
        profile_picture_url?: String,
        websites?: Vec<String>,
        vertical?: Vertical,
    }

    /// Changes the members that are given.
    Update {
        messaging_product: String,
        about?: String,
        address?: String,
        description?: String,
        email?: String,
        websites?: Vec<String>,
        vertical?: Vertical,
        /// From an upload; see [`crate::media::UploadHandle`].
        profile_picture_handle?: String,
    }
}
