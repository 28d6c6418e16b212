//! The properties that standard types come with. A selection: the ones integrations read and write.

use Kind::{
    Bool, Checkbox, DateTime, Html, LongText, Number, Owner, Phone, PipelineRef, ReadBool, ReadDateTime,
    ReadEnum, ReadNumber, ReadText, Select, StageRef, Text,
};

/// Shape of a standard property; `Read*` cannot be written through the API.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    LongText,
    Html,
    Phone,
    Number,
    Bool,
    DateTime,
    Owner,
    PipelineRef,
    StageRef,
    Select(&'static [(&'static str, &'static str)]),
    Checkbox(&'static [(&'static str, &'static str)]),
    ReadText,
    ReadNumber,
    ReadBool,
    ReadDateTime,
    ReadEnum(&'static [(&'static str, &'static str)]),
}

type Row = (&'static str, &'static str, Kind);

/// Value, label; in the order of the lifecycle, which moves forward only.
const LIFECYCLE: &[(&str, &str)] = &[
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
];

const LEAD_STATUS: &[(&str, &str)] = &[
    ("NEW", "New"),
    ("OPEN", "Open"),
    ("IN_PROGRESS", "In Progress"),
    ("OPEN_DEAL", "Open Deal"),
    ("UNQUALIFIED", "Unqualified"),
    ("ATTEMPTED_TO_CONTACT", "Attempted to Contact"),
    ("CONNECTED", "Connected"),
    ("BAD_TIMING", "Bad Timing"),
];

const INDUSTRY: &[(&str, &str)] = &[
    ("ACCOUNTING", "Accounting"),
    ("AUTOMOTIVE", "Automotive"),
    ("BANKING", "Banking"),
    ("BIOTECHNOLOGY", "Biotechnology"),
    ("BUILDING_MATERIALS", "Building Materials"),
    ("CHEMICALS", "Chemicals"),
    ("COMPUTER_HARDWARE", "Computer Hardware"),
    ("COMPUTER_SOFTWARE", "Computer Software"),
    ("CONSTRUCTION", "Construction"),
    ("CONSUMER_GOODS", "Consumer Goods"),
    ("EDUCATION_MANAGEMENT", "Education Management"),
    ("ENTERTAINMENT", "Entertainment"),
    ("FINANCIAL_SERVICES", "Financial Services"),
    ("FOOD_BEVERAGES", "Food & Beverages"),
    ("FOOD_PRODUCTION", "Food Production"),
    ("HOSPITAL_HEALTH_CARE", "Hospital & Health Care"),
    ("HOSPITALITY", "Hospitality"),
    ("INFORMATION_TECHNOLOGY_AND_SERVICES", "Information Technology and Services"),
    ("INSURANCE", "Insurance"),
    ("LOGISTICS_AND_SUPPLY_CHAIN", "Logistics and Supply Chain"),
    ("MACHINERY", "Machinery"),
    ("MANAGEMENT_CONSULTING", "Management Consulting"),
    ("MARKETING_AND_ADVERTISING", "Marketing and Advertising"),
    ("MUSIC", "Music"),
    ("REAL_ESTATE", "Real Estate"),
    ("RETAIL", "Retail"),
    ("TELECOMMUNICATIONS", "Telecommunications"),
    ("TEXTILES", "Textiles"),
    ("TRANSPORTATION_TRUCKING_RAILROAD", "Transportation/Trucking/Railroad"),
    ("UTILITIES", "Utilities"),
    ("WHOLESALE", "Wholesale"),
];

const COMPANY_TYPE: &[(&str, &str)] = &[
    ("PROSPECT", "Prospect"),
    ("PARTNER", "Partner"),
    ("RESELLER", "Reseller"),
    ("VENDOR", "Vendor"),
    ("OTHER", "Other"),
];

const DEAL_TYPE: &[(&str, &str)] =
    &[("newbusiness", "New Business"), ("existingbusiness", "Existing Business")];

const PRIORITY: &[(&str, &str)] = &[("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High")];

const TICKET_PRIORITY: &[(&str, &str)] =
    &[("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High"), ("URGENT", "Urgent")];

const TICKET_CATEGORY: &[(&str, &str)] = &[
    ("PRODUCT_ISSUE", "Product Issue"),
    ("BILLING_ISSUE", "Billing Issue"),
    ("FEATURE_REQUEST", "Feature Request"),
    ("GENERAL_INQUIRY", "General Inquiry"),
];

const TASK_STATUS: &[(&str, &str)] = &[
    ("NOT_STARTED", "Not Started"),
    ("IN_PROGRESS", "In Progress"),
    ("WAITING", "Waiting"),
    ("DEFERRED", "Deferred"),
    ("COMPLETED", "Completed"),
];

const TASK_TYPE: &[(&str, &str)] = &[("EMAIL", "Email"), ("CALL", "Call"), ("TODO", "To-do")];

const CALL_STATUS: &[(&str, &str)] = &[
    ("BUSY", "Busy"),
    ("CALLING_CRM_USER", "Calling CRM user"),
    ("CANCELED", "Canceled"),
    ("COMPLETED", "Completed"),
    ("CONNECTING", "Connecting"),
    ("FAILED", "Failed"),
    ("IN_PROGRESS", "In progress"),
    ("NO_ANSWER", "No answer"),
    ("QUEUED", "Queued"),
    ("RINGING", "Ringing"),
];

const CALL_DIRECTION: &[(&str, &str)] = &[("INBOUND", "Inbound"), ("OUTBOUND", "Outbound")];

const CALL_DISPOSITION: &[(&str, &str)] = &[
    ("9d9162e7-6cf3-4944-bf63-4dff82258764", "Busy"),
    ("f240bbac-87c9-4f6e-bf70-924b57d47db7", "Connected"),
    ("a4c4c377-d246-4b32-a13b-75a56a4cd0ff", "Left live message"),
    ("b2cf5968-551e-4856-9783-52b3da59a7d0", "Left voicemail"),
    ("73a0d17f-1163-4015-bdd5-ec830791da20", "No answer"),
    ("17b47fee-58de-441e-a44c-c6300d46f273", "Wrong number"),
];

const EMAIL_DIRECTION: &[(&str, &str)] =
    &[("EMAIL", "Email"), ("INCOMING_EMAIL", "Incoming email"), ("FORWARDED_EMAIL", "Forwarded email")];

const EMAIL_STATUS: &[(&str, &str)] = &[
    ("BOUNCED", "Bounced"),
    ("FAILED", "Failed"),
    ("SCHEDULED", "Scheduled"),
    ("SENDING", "Sending"),
    ("SENT", "Sent"),
];

const MEETING_OUTCOME: &[(&str, &str)] = &[
    ("SCHEDULED", "Scheduled"),
    ("COMPLETED", "Completed"),
    ("RESCHEDULED", "Rescheduled"),
    ("NO_SHOW", "No show"),
    ("CANCELED", "Canceled"),
];

const MARKETABLE: &[(&str, &str)] = &[("true", "Marketing contact"), ("false", "Non-marketing contact")];

/// On every type, custom ones included, beside the id and the two times.
pub(crate) const COMMON: &[Row] = &[
    ("hubspot_owner_id", "Owner", Owner),
    ("hubspot_owner_assigneddate", "Owner assigned date", ReadDateTime),
    ("hubspot_team_id", "HubSpot team", ReadText),
    ("hs_all_owner_ids", "All owner ids", ReadText),
    ("hs_merged_object_ids", "Merged record IDs", ReadText),
    ("hs_created_by_user_id", "Created by user ID", ReadNumber),
    ("hs_updated_by_user_id", "Updated by user ID", ReadNumber),
    ("hs_read_only", "Read only object", ReadBool),
    ("hs_was_imported", "Performed in an import", ReadBool),
];

const CONTACT: &[Row] = &[
    ("email", "Email", Text),
    ("hs_additional_emails", "Additional email addresses", Text),
    ("hs_email_domain", "Email Domain", ReadText),
    ("firstname", "First Name", Text),
    ("lastname", "Last Name", Text),
    ("salutation", "Salutation", Text),
    ("phone", "Phone Number", Phone),
    ("mobilephone", "Mobile Phone Number", Phone),
    ("fax", "Fax Number", Phone),
    ("company", "Company Name", Text),
    ("jobtitle", "Job Title", Text),
    ("website", "Website URL", Text),
    ("address", "Street Address", Text),
    ("city", "City", Text),
    ("state", "State/Region", Text),
    ("zip", "Postal Code", Text),
    ("country", "Country/Region", Text),
    ("date_of_birth", "Date of birth", Text),
    ("hs_language", "Preferred language", Text),
    ("message", "Message", LongText),
    ("numemployees", "Number of Employees", Text),
    ("annualrevenue", "Annual Revenue", Text),
    ("industry", "Industry", Text),
    ("lifecyclestage", "Lifecycle Stage", Select(LIFECYCLE)),
    ("hs_lead_status", "Lead Status", Select(LEAD_STATUS)),
    ("hs_marketable_status", "Marketing contact status", ReadEnum(MARKETABLE)),
    ("hs_email_optout", "Unsubscribed from all email", ReadBool),
    ("associatedcompanyid", "Primary Associated Company ID", ReadNumber),
    ("hs_calculated_merged_vids", "Merged vids with timestamps", ReadText),
];

const COMPANY: &[Row] = &[
    ("name", "Company name", Text),
    ("domain", "Company Domain Name", Text),
    ("hs_additional_domains", "Additional Domains", Text),
    ("website", "Website URL", Text),
    ("phone", "Phone Number", Phone),
    ("description", "Description", LongText),
    ("industry", "Industry", Select(INDUSTRY)),
    ("type", "Type", Select(COMPANY_TYPE)),
    ("address", "Street Address", Text),
    ("address2", "Street Address 2", Text),
    ("city", "City", Text),
    ("state", "State/Region", Text),
    ("zip", "Postal Code", Text),
    ("country", "Country/Region", Text),
    ("timezone", "Time Zone", Text),
    ("numberofemployees", "Number of Employees", Number),
    ("annualrevenue", "Annual Revenue", Number),
    ("founded_year", "Year Founded", Text),
    ("is_public", "Is Public", Bool),
    ("linkedin_company_page", "LinkedIn Company Page", Text),
    ("lifecyclestage", "Lifecycle Stage", Select(LIFECYCLE)),
    ("hs_lead_status", "Lead Status", Select(LEAD_STATUS)),
    ("hs_parent_company_id", "Parent Company", ReadNumber),
];

const DEAL: &[Row] = &[
    ("dealname", "Deal Name", Text),
    ("pipeline", "Pipeline", PipelineRef),
    ("dealstage", "Deal Stage", StageRef),
    ("amount", "Amount", Number),
    ("closedate", "Close Date", DateTime),
    ("dealtype", "Deal Type", Select(DEAL_TYPE)),
    ("description", "Deal Description", LongText),
    ("hs_priority", "Priority", Select(PRIORITY)),
    ("deal_currency_code", "Currency", Text),
    ("hs_forecast_amount", "Forecast Amount", Number),
    ("closed_won_reason", "Closed Won Reason", LongText),
    ("closed_lost_reason", "Closed Lost Reason", LongText),
    ("hs_next_step", "Next Step", Text),
    ("hs_is_closed", "Is Deal Closed?", ReadBool),
    ("hs_is_closed_won", "Is Closed Won", ReadBool),
    ("hs_deal_stage_probability", "Deal probability", ReadNumber),
];

const TICKET: &[Row] = &[
    ("subject", "Ticket name", Text),
    ("content", "Ticket description", LongText),
    ("hs_pipeline", "Pipeline", PipelineRef),
    ("hs_pipeline_stage", "Ticket status", StageRef),
    ("hs_ticket_priority", "Priority", Select(TICKET_PRIORITY)),
    ("hs_ticket_category", "Category", Checkbox(TICKET_CATEGORY)),
    ("hs_resolution", "Resolution", Text),
    ("source_type", "Source", Text),
    ("hs_ticket_id", "Ticket ID", ReadNumber),
    ("closed_date", "Close date", DateTime),
];

const PRODUCT: &[Row] = &[
    ("name", "Name", Text),
    ("description", "Product description", LongText),
    ("price", "Unit price", Number),
    ("hs_sku", "SKU", Text),
    ("hs_cost_of_goods_sold", "Unit cost", Number),
    ("hs_folder", "Folder", Text),
    ("hs_images", "Image URL", Text),
    ("hs_url", "URL", Text),
    ("hs_product_type", "Product type", Text),
    ("hs_recurring_billing_period", "Term", Text),
    ("tax", "Tax", Number),
];

const LINE_ITEM: &[Row] = &[
    ("name", "Name", Text),
    ("description", "Description", LongText),
    ("quantity", "Quantity", Number),
    ("price", "Unit price", Number),
    ("amount", "Net price", ReadNumber),
    ("discount", "Unit discount", Number),
    ("hs_discount_percentage", "Discount percentage", Number),
    ("tax", "Tax", Number),
    ("hs_sku", "SKU", Text),
    ("hs_product_id", "Product ID", Number),
    ("hs_cost_of_goods_sold", "Unit cost", Number),
    ("hs_line_item_currency_code", "Currency", Text),
    ("hs_position_on_quote", "Position on quote", Number),
    ("hs_recurring_billing_period", "Term", Text),
    ("recurringbillingfrequency", "Billing frequency", Text),
];

const NOTE: &[Row] = &[
    ("hs_timestamp", "Activity date", DateTime),
    ("hs_note_body", "Note body", Html),
    ("hs_attachment_ids", "Attached file IDs", Text),
    ("hs_body_preview", "Body preview", ReadText),
];

const TASK: &[Row] = &[
    ("hs_timestamp", "Due date", DateTime),
    ("hs_task_subject", "Task Title", Text),
    ("hs_task_body", "Task Notes", Html),
    ("hs_task_status", "Task Status", Select(TASK_STATUS)),
    ("hs_task_priority", "Priority", Select(PRIORITY)),
    ("hs_task_type", "Task Type", Select(TASK_TYPE)),
    ("hs_task_reminders", "Reminders", Text),
];

const CALL: &[Row] = &[
    ("hs_timestamp", "Activity date", DateTime),
    ("hs_call_title", "Call Title", Text),
    ("hs_call_body", "Call notes", Html),
    ("hs_call_direction", "Call direction", Select(CALL_DIRECTION)),
    ("hs_call_status", "Call status", Select(CALL_STATUS)),
    ("hs_call_disposition", "Call outcome", Select(CALL_DISPOSITION)),
    ("hs_call_duration", "Call duration", Number),
    ("hs_call_from_number", "From Number", Text),
    ("hs_call_to_number", "To Number", Text),
    ("hs_call_recording_url", "Recording URL", Text),
    ("hs_body_preview", "Body preview", ReadText),
];

const EMAIL: &[Row] = &[
    ("hs_timestamp", "Activity date", DateTime),
    ("hs_email_direction", "Email Direction", Select(EMAIL_DIRECTION)),
    ("hs_email_status", "Email send status", Select(EMAIL_STATUS)),
    ("hs_email_subject", "Email subject", Text),
    ("hs_email_text", "Email body", LongText),
    ("hs_email_html", "Email HTML body", Html),
    ("hs_email_headers", "Email headers", LongText),
    ("hs_attachment_ids", "Attached file IDs", Text),
];

const MEETING: &[Row] = &[
    ("hs_timestamp", "Activity date", DateTime),
    ("hs_meeting_title", "Meeting name", Text),
    ("hs_meeting_body", "Meeting description", Html),
    ("hs_internal_meeting_notes", "Internal meeting notes", Html),
    ("hs_meeting_location", "Location", Text),
    ("hs_meeting_external_url", "External URL", Text),
    ("hs_meeting_start_time", "Meeting start time", DateTime),
    ("hs_meeting_end_time", "Meeting end time", DateTime),
    ("hs_meeting_outcome", "Meeting outcome", Select(MEETING_OUTCOME)),
    ("hs_activity_type", "Call and meeting type", Text),
];

/// The properties of a standard type beside [`COMMON`].
pub(crate) fn of_type(singular: &str) -> &'static [Row] {
    match singular {
        "contact" => CONTACT,
        "company" => COMPANY,
        "deal" => DEAL,
        "ticket" => TICKET,
        "product" => PRODUCT,
        "line_item" => LINE_ITEM,
        "note" => NOTE,
        "task" => TASK,
        "call" => CALL,
        "email" => EMAIL,
        "meeting" => MEETING,
        _ => &[],
    }
}
