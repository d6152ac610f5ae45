//! The two text forms of the same figures: OpenMetrics for those who ask for it, the older Prometheus text for the rest.

use std::fmt::Write as _;

/// OpenMetrics text as Prometheus text 0.0.4: a counter's family is named like its samples, an info is a gauge, and
/// there is no end mark.
pub(super) fn plain(open_metrics: &str) -> String {
    let families: Vec<(&str, &str)> =
        open_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        let written = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(word @ ("TYPE" | "HELP")), Some(name), Some(rest)) => {
                let kind = families.iter().find(|(family, _)| *family == name).map(|(_, kind)| *kind);
                let (suffix, plain_kind) = match kind {
                    Some("counter") => ("_total", "counter"),
                    Some("info") => ("_info", "gauge"),
                    _ => ("", rest),
                };
                let rest = if word == "TYPE" { plain_kind } else { rest };
                writeln!(text, "# {word} {name}{suffix} {rest}")
            }
            _ => writeln!(text, "{line}"),
        };
        // Writing to a string cannot fail.
        written.ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn counters_and_infos_are_named_like_their_samples() {
        let open_metrics = "# HELP a Counts things.\n# TYPE a counter\na_total{x=\"1 2 3\"} 4\n\
                            # HELP b Says things.\n# TYPE b info\nb_info{v=\"1\"} 1\n\
                            # HELP c Goes up and down.\n# TYPE c gauge\nc 2\n# EOF\n";
        assert_eq!(
            plain(open_metrics),
            "# HELP a_total Counts things.\n# TYPE a_total counter\na_total{x=\"1 2 3\"} 4\n\
             # HELP b_info Says things.\n# TYPE b_info gauge\nb_info{v=\"1\"} 1\n\
             # HELP c Goes up and down.\n# TYPE c gauge\nc 2\n"
        );
    }
}
