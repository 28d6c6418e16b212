//! Answers cut, spliced and scrambled: never a panic, always one outcome per input; and how ranges are parted.

use proptest::prelude::*;

use super::*;

const ANSWER: &str = r#"{"status":"COMPLETE","results":[
    {"id":"7","properties":{"email":"ann@example.com","n":null},"new":true,"objectWriteTraceId":"1"},
    {"id":8,"properties":{},"warnings":[{"category":"X","context":{"propertyName":["d"]}}],"objectWriteTraceId":"0"}],
    "numErrors":1,"errors":[{"status":"error","category":"VALIDATION_ERROR","message":"Property values were not valid: [{\"isValid\":false,\"name\":\"a\"}]",
    "context":{"objectWriteTraceId":["2"]}}]}"#;

fn account_for(body: &str) -> BatchOutcome<Written> {
    let answer = Answer {
        status: 207,
        headers: http::HeaderMap::new(),
        body: body.to_owned().into(),
        repeated: false,
        correlation_id: None,
    };
    let names = InputNames::new([Some("7"), Some("8"), Some("9")].into_iter(), None);
    read_write_answer(&names, 3, &answer)
}

#[test]
fn the_answer_as_documented_is_read_in_full() {
    let counts = account_for(ANSWER).counts();
    assert_eq!((counts.written, counts.rejected, counts.unknown), (2, 1, 0));
}

proptest! {
    #[test]
    fn a_damaged_answer_still_gives_one_outcome_per_input(
        cut: prop::sample::Index, length in 0_usize..40, splice in "[\\[\\]{}\":,0-9a-z]{0,6}",
    ) {
        let at = cut.index(ANSWER.len());
        let end = (at + length).min(ANSWER.len());
        let body = format!("{}{splice}{}", &ANSWER[..at], &ANSWER[end..]);
        let outcome = account_for(&body);
        prop_assert_eq!(outcome.rows.len(), 3);
        // What cannot be read is never taken for a refusal: the rows may have been written.
        if outcome.cause.is_some() {
            prop_assert_eq!(outcome.counts().unknown, 3);
        }
    }

    #[test]
    fn no_text_makes_it_panic(body in ".*") {
        prop_assert_eq!(account_for(&body).rows.len(), 3);
    }

    #[test]
    fn parts_are_the_range_without_the_guilty(start in 0_usize..50, length in 2_usize..100, guilty: Vec<prop::sample::Index>) {
        let range = start..start + length;
        let guilty: BTreeSet<usize> = guilty.iter().map(|index| start + index.index(length)).collect();
        let list: Vec<usize> = guilty.iter().copied().collect();
        let parts = parts(range.clone(), &list);
        let rest: Vec<usize> = range.filter(|index| !guilty.contains(index)).collect();
        prop_assert_eq!(parts.iter().cloned().flatten().collect::<Vec<_>>(), rest);
        prop_assert!(parts.iter().all(|part| !part.is_empty() && part.len() < length), "each part is smaller: it ends");
    }
}
