//! Usage by SQL: the same sums as the service's, of what the caller sees.

use super::{TEAM, ask, bound, of, world};

const OWNER: &str = "00000000-0000-0000-0000-000000000010";
const USER: &str = "00000000-0000-0000-0000-000000000030";

fn usage(database: &str, claims: &str, arguments: &str) -> Result<String, String> {
    let sql = format!("SELECT api.get_usage({arguments})");
    ask(database, "mec_user", Some(claims), &sql)
}

#[test]
fn usage_is_told_in_the_default_unit_of_what_is_seen() {
    let database = world();
    let rows: &[(&str, String, &str)] = &[
        // Each of the three used two hours.
        (OWNER, String::new(), "6"),
        (TEAM, String::new(), "4"),
        (USER, String::new(), "2"),
        (TEAM, ", p_include_children => false".into(), "2"),
        (
            TEAM,
            ", p_include_children => false, p_window_end => '2026-03-01T12:34Z'".into(),
            "0",
        ),
        (USER, ", p_include_children => false".into(), "2"),
        (TEAM, ", 'eu'".into(), "4"),
        (TEAM, ", 'us'".into(), "0"),
        (
            TEAM,
            ", p_include_children => false, p_resource_scope => 'us'".into(),
            "0",
        ),
        (
            TEAM,
            ", NULL, '2026-03-01T12:34Z', '2026-03-01T12:35Z'".into(),
            "4",
        ),
        (TEAM, ", NULL, '2026-03-01T12:35Z'".into(), "0"),
        (TEAM, ", NULL, '2026-03-01T12:34Z'".into(), "4"),
        (TEAM, ", NULL, NULL, '2026-03-01T12:34Z'".into(), "0"),
        (
            TEAM,
            ", NULL, '2026-03-01T12:30Z', '2026-03-01T13:30Z'".into(),
            "4",
        ),
        (
            TEAM,
            ", NULL, '2026-03-01T11:30Z', '2026-03-01T12:40Z'".into(),
            "4",
        ),
        (
            TEAM,
            ", NULL, '2026-03-01T11:30Z', '2026-03-01T13:40Z'".into(),
            "4",
        ),
        (
            TEAM,
            ", NULL, '2026-02-27T11:30Z', '2026-03-03T13:40Z'".into(),
            "4",
        ),
        (
            TEAM,
            ", NULL, '2026-02-27T11:30Z', '2026-03-01T12:34Z'".into(),
            "0",
        ),
        (
            TEAM,
            ", NULL, '2026-03-02T00:00Z', '2026-03-01T00:00Z'".into(),
            "0",
        ),
        (TEAM, ", NULL, '-infinity', 'infinity'".into(), "4"),
    ];
    for (account, arguments, wanted) in rows {
        let arguments = format!("'{account}', 'runs'{arguments}");
        let seen = usage(&database, &of("default"), &arguments).unwrap();
        assert_eq!(&seen, wanted, "{arguments}");
    }
}

#[test]
fn usage_of_what_is_not_seen_is_told_as_of_what_is_not_there() {
    let database = world();
    let nobody = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    let bound = bound(&format!("\"{TEAM}\""));
    let nowhere = of("nowhere");
    for (claims, account) in [(&bound, OWNER), (&bound, nobody), (&nowhere, TEAM)] {
        for resource in ["runs", "walks"] {
            let seen = usage(&database, claims, &format!("'{account}', '{resource}'"));
            assert_eq!(seen.unwrap(), "");
        }
    }
    assert_eq!(
        ask(
            &database,
            "mec_user",
            None,
            &format!("SELECT api.get_usage('{TEAM}', 'runs')")
        )
        .unwrap(),
        ""
    );
    assert_eq!(
        usage(&database, &bound, &format!("'{TEAM}', 'runs'")).unwrap(),
        "4"
    );
}

#[test]
fn what_cannot_be_told_is_refused_with_a_sentence() {
    let database = world();
    let minute = "p_window_start and p_window_end must lie on whole minutes";
    for (claims, arguments, sentence) in [
        (of("default"), "'walks'", "there is no resource type walks"),
        (
            of("default"),
            "'runs', NULL, '2026-03-01T12:34:01Z'",
            minute,
        ),
        (
            of("default"),
            "'runs', NULL, NULL, '2026-03-01T12:34:00.000001Z'",
            minute,
        ),
        (of("*"), "'runs'", "the claims must name one namespace"),
    ] {
        let refused = usage(&database, &claims, &format!("'{TEAM}', {arguments}"));
        let said = refused.unwrap_err();
        assert!(said.contains(sentence), "{said}");
    }
}
