//! Review items: listed, shown with what they are about, settled once, over HTTP and gRPC.

use std::sync::atomic::Ordering;

use clinflow_core::{
    Execution, Lane, ReviewId, ReviewItem, Role, Severity, Status,
    audit::{Event, verify_up_to},
};
use clinflow_ports::{AuditLog as _, Broker as _, Objects as _, Reviews as _, topology::queue_name};
use clinflow_proto::v1::{GetReviewRequest, ListReviewsRequest, reviews_client::ReviewsClient};
use serde_json::json;

use crate::{
    house::{Answer, House},
    issuer::{FIRST, Issuer},
};

impl House {
    /// A recorded execution with two open items, the first about a field.
    async fn to_review(&self) -> Execution {
        let execution = self.with_result(b"one").await;
        let item = |number, field: Option<&str>| ReviewItem {
            id: ReviewId { execution: execution.id, number },
            workflow: execution.requested_workflow.clone(),
            rule: if field.is_some() { "AE-SER-02" } else { "partial" }.to_owned(),
            severity: Severity::Review,
            field: field.map(str::to_owned),
            index: field.map(|_| 2),
            spans: Vec::new(),
            created_at: execution.created_at,
            resolution: None,
        };
        self.reviews.create(&[item(1, Some("term")), item(2, None)]).await.unwrap();
        execution
    }

    async fn resolve(&self, item: &str, body: &serde_json::Value) -> Answer {
        self.command(&format!("/v1/reviews/{item}/resolution"), body).await
    }
}

#[tokio::test]
async fn open_items_are_listed_and_shown_with_the_field_and_the_words_of_the_rule() {
    let house = House::open().await;
    let execution = house.to_review().await;
    let listed = house.get("/v1/reviews").await.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(
        (&items[0]["review_id"], &items[0]["rule"], &items[0]["field"], &items[0]["index"]),
        (&json!(format!("{}.1", execution.id)), &json!("AE-SER-02"), &json!("term"), &json!(2))
    );
    assert!(!listed.to_string().contains("headache"), "a list holds no PHI");
    let answer = house.get(&format!("/v1/reviews/{}.1", execution.id)).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let shown = answer.json();
    assert_eq!(shown["message"], "`headache` has no seriousness");
    assert_eq!(
        (&shown["fields"][0]["value"], shown["fields"].as_array().unwrap().len()),
        (&json!("headache"), 1)
    );
    let mut reviews = ReviewsClient::new(house.channel().await);
    let request =
        ListReviewsRequest { execution_id: execution.id.to_string(), page_size: 1, ..Default::default() };
    assert_eq!(reviews.list(request).await.unwrap().into_inner().items.len(), 1);
    for unknown in [format!("{}.3", execution.id), "Jane-Roe".to_owned()] {
        assert_eq!(house.get(&format!("/v1/reviews/{unknown}")).await.problem().1, "review.unknown");
        let request = GetReviewRequest { review_id: unknown };
        assert_eq!(reviews.get(request).await.unwrap_err().code(), tonic::Code::NotFound);
    }
}

#[tokio::test]
async fn a_correction_is_kept_in_the_object_store_alone_and_the_last_item_completes_the_execution() {
    let house = House::open().await;
    let id = house.to_review().await.id;
    let correction = json!({"decision": "corrected", "value": "migraine of Jane Roe", "reviewer": "pat"});
    let done = house.resolve(&format!("{id}.1"), &correction).await;
    let json = done.json();
    assert_eq!((&json["open"], &json["execution_status"]), (&json!(1), &json!("needs-review")));
    assert!(!done.body.contains("Jane"));
    let last = json!({"decision": "accepted", "reviewer": "pat"});
    let done = house.resolve(&format!("{id}.2"), &last).await.json();
    assert_eq!((&done["open"], &done["execution_status"]), (&json!(0), &json!("completed")));
    let shown = house.get(&format!("/v1/reviews/{id}.1")).await.json();
    assert_eq!((&shown["corrected"], &shown["reviewer"]), (&json!("migraine of Jane Roe"), &json!("pat")));

    let records = house.log.read(id).await.unwrap();
    verify_up_to(id, &records, house.stored(&id.to_string()).await.known_head()).unwrap();
    let Event::Resolved { item: 1, value: Some(value), .. } = &records[3].entry.event else {
        panic!("{:?}", records[3])
    };
    assert!(house.objects.get(&value.key).await.is_ok());
    let messages = house.broker.browse(&queue_name(Role::Auditor, Lane::Batch), 10).await.unwrap();
    assert_eq!(messages.len(), 2);
    let holds = |bytes: &[u8]| bytes.windows(4).any(|window| window == b"Jane");
    assert!(messages.iter().all(|message| !holds(&message.body)));
    assert!(!holds(serde_json::to_string(&records).unwrap().as_bytes()));
    assert_eq!(messages[0].message_id, Some(records[3].entry.message_id.to_string()));
}

#[tokio::test]
async fn an_item_is_settled_once_and_saying_the_same_again_is_no_mistake() {
    let house = House::open().await;
    let item = format!("{}.1", house.to_review().await.id);
    let accepted = json!({"decision": "accepted", "reviewer": "pat"});
    for _ in 0..2 {
        assert_eq!(house.resolve(&item, &accepted).await.status, 200);
    }
    let other = house.resolve(&item, &json!({"decision": "rejected", "reviewer": "sam"})).await;
    assert_eq!(other.problem(), (409, "review.settled".to_owned()));
    assert!(other.body.contains("accepted by pat"), "{}", other.body);
    let state = house.get("/v1/reviews?state=resolved").await.json();
    assert_eq!(state["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_decision_that_could_not_be_announced_is_finished_by_asking_again() {
    let house = House::open().await;
    let id = house.to_review().await.id;
    let accepted = json!({"decision": "accepted", "reviewer": "pat"});
    house.broker.refuses.store(true, Ordering::SeqCst);
    let refused = house.resolve(&format!("{id}.1"), &accepted).await;
    assert_eq!(refused.problem(), (429, "broker.refused".to_owned()));
    assert_eq!(house.get("/v1/reviews").await.json()["items"].as_array().unwrap().len(), 2, "still open");
    house.broker.refuses.store(false, Ordering::SeqCst);
    let other = house.resolve(&format!("{id}.1"), &json!({"decision": "rejected", "reviewer": "sam"})).await;
    assert_eq!(
        other.problem().1,
        "review.settled",
        "the first recorded decision counts, whoever finishes it"
    );
    assert_eq!(house.get("/v1/reviews").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_decision_must_be_one_and_a_value_belongs_to_a_correction() {
    let house = House::open().await;
    let item = format!("{}.1", house.to_review().await.id);
    for body in [
        json!({"decision": "fine"}),
        json!({"decision": "corrected"}),
        json!({"decision": "accepted", "value": "x"}),
        json!({"decision": "accepted", "reviewer": "Jane Roe"}),
        json!({"decision": "accepted", "verdict": "x"}),
    ] {
        let refused = house.resolve(&item, &body).await;
        assert_eq!(refused.problem(), (400, "request.unreadable".to_owned()), "{body}");
        assert!(!refused.body.contains("Jane"));
    }
    assert_eq!(house.stored(item.split_once('.').unwrap().0).await.status, Status::NeedsReview);
}

#[tokio::test]
async fn reviewing_is_a_right_of_its_own() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let house = House::with(issuer.trusted()).await;
    let token = FIRST.token(json!({}));
    let request = house.http.post(house.url("/v1/reviews/x/resolution")).bearer_auth(token);
    let answer =
        Answer::of(request.body(json!({"decision": "accepted"}).to_string()).send().await.unwrap()).await;
    assert_eq!(answer.problem(), (403, "auth.not-reviewer".to_owned()));
}
