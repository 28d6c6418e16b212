//! Sheets as consultants write them.

use super::*;

const SHEET: &str = "\
Acme CRM migration – field mapping v0.3,,,,,,,,
,,,,,,,,
Source Table,Source Field,HubSpot Object,HubSpot Property,Type,Transformation,Values,Direction,Notes
Customers,CustNo,Company,,,,,,
,CompanyName,Company,Company name,,\"Trim, remove double spaces\",,to HubSpot,
,Web,,Company Domain Name,,domain,,->,
,Class,,ABC class,Dropdown select,map values,A = Gold; B = Silver,->,Agreed with sales
,Since,,Customer since,Date picker,DD.MM.YYYY,,->,
,Turnover,,annualrevenue,,decimal comma,,->,
,Memo,,-,,,,,Not wanted
,Magic,,Magic number,Number,ask Bob,,sideways,
Contacts,First + Last,Contact,Full name,,concat,,,
,Mail,,Email,,\"lower, trim\",,,
,Mail2,,Email,,,,,
,,,Lead source,,constant: ERP,,,
,Orphan,,,,,,,
";

fn import_csv(text: &str) -> Imported {
    let sheets = [Sheet::of_csv("Mapping", text).unwrap()];
    import(Request { name: "acme", sheets: &sheets, hubspot: None, region: None, zone: None })
        .unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_sheet_becomes_a_checked_mapping() {
    insta::assert_snapshot!(import_csv(SHEET).text);
}

#[test]
fn what_is_not_understood_is_listed_with_its_cell() {
    let told: Vec<String> = import_csv(SHEET).cells.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn titles_may_be_others_and_in_another_language() {
    let text = "Quellfeld;HubSpot Feld;Objekt;Regel\nVorname;First Name;Kontakt;\nMail;E-Mail;Kontakt;Kleinbuchstaben\n";
    let imported = import_csv(text);
    assert_eq!(imported.fields, 2, "{}", imported.text);
    assert_eq!(imported.cells[0].cell, "D3", "{:?}", imported.cells);
}

#[test]
fn a_sheet_without_the_columns_is_refused_with_what_it_has() {
    let sheets = [Sheet::of_csv("Costs", "Item,Price\nPump,12\n").unwrap()];
    let request = Request { name: "acme", sheets: &sheets, hubspot: None, region: None, zone: None };
    let problems = import(request).unwrap_err();
    assert!(problems.contains("`Item`, `Price`"), "{problems}");
}

#[test]
fn headings_between_rows_name_the_object() {
    let text = "Field,Property\nContacts,\nMail,email\nCompanies,\nName,name\n";
    let imported = import_csv(text);
    let outline = crate::outline::Outline::read(&imported.text).unwrap();
    let links: Vec<&str> = outline.links.iter().map(|link| link.object.as_str()).collect();
    assert_eq!(links, ["contacts", "companies"]);
}

#[test]
fn a_field_goes_both_ways_only_where_the_checker_has_seen_the_way_back() {
    let text = "Field,Object,Property,Transformation,Direction,Master\n\
                City,Contact,city,,both,HubSpot\n\
                Notes,Contact,message,truncate to 10 characters,<->,newest\n";
    let imported = import_csv(text);
    let outline = crate::outline::Outline::read(&imported.text).unwrap();
    let link = &outline.links[0];
    assert_eq!(
        link.fields[0].rest.get("direction").and_then(toml::Value::as_str),
        Some("both"),
        "{}",
        imported.text
    );
    assert_eq!(link.fields[0].rest.get("conflict").and_then(toml::Value::as_str), Some("hubspot"));
    // Cutting cannot be undone.
    assert_eq!(link.fields[1].rest.get("direction").and_then(toml::Value::as_str), Some("to-hubspot"));
    assert!(link.fields[1].note.as_ref().unwrap().contains("to HubSpot only"), "{}", imported.text);
}

#[test]
fn cells_are_named_as_spreadsheets_do() {
    for (column, row, name) in
        [(0, 1, "A1"), (25, 2, "Z2"), (26, 3, "AA3"), (701, 4, "ZZ4"), (702, 5, "AAA5")]
    {
        assert_eq!(cell_name(column, row), name);
    }
}

#[cfg(feature = "xlsx")]
#[test]
fn a_workbook_is_read_sheet_by_sheet() {
    let bytes = include_bytes!("fixtures/field-mapping.xlsx");
    let sheets = of_xlsx(bytes).unwrap();
    let request = Request { name: "acme", sheets: &sheets, hubspot: None, region: None, zone: None };
    let imported = import(request).unwrap();
    assert_eq!(imported.fields, 2, "{}", imported.text);
    // The table begins at C4, and the cover sheet holds no mapping.
    let cells: Vec<(&str, &str)> =
        imported.cells.iter().map(|cell| (cell.sheet.as_str(), cell.cell.as_str())).collect();
    assert_eq!(cells, [("Contacts", "E7"), ("Cover", "as a whole")]);
    assert!(of_xlsx(b"PK\x03\x04 no workbook").is_err());
}
