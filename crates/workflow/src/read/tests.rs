use crate::{Bundle, shipped};

#[test]
fn the_shipped_bundle_is_free_of_mistakes() {
    if let Err(problems) = Bundle::read(&shipped()) {
        panic!("{problems}");
    }
}
