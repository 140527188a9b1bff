//! Counts what lookups look at. Only the tests of this crate do: elsewhere it is nothing.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A key, a border or an automaton is looked at.
#[inline(always)]
pub(crate) fn step() {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get() + 1));
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use isthmus_plan::{ListValues, MatchMethod};

    use super::STEPS;
    use crate::{Columns, Hosts, Input, List};

    fn key(method: MatchMethod, n: u32) -> String {
        match method {
            MatchMethod::Ip => format!("{}/24", Ipv4Addr::from(n << 8)),
            MatchMethod::Int => format!("{}:{}", n * 10, n * 10 + 9),
            MatchMethod::Beg => format!("/tenants/{n}/"),
            MatchMethod::Reg => format!("^/tenants/{n}/[a-z]+$"),
            _ => format!("host{n}.example.com"),
        }
    }

    fn asked(method: MatchMethod, n: u32) -> String {
        match method {
            MatchMethod::Ip => Ipv4Addr::from((n << 8) + 7).to_string(),
            MatchMethod::Int => (n * 10 + 3).to_string(),
            MatchMethod::Beg | MatchMethod::Reg => format!("/tenants/{n}/users"),
            MatchMethod::Dom => format!("www.host{n}.example.com"),
            _ => key(method, n),
        }
    }

    /// The most that one of a hundred lookups looks at in a list of so many entries, of which each
    /// has another value.
    fn most(method: MatchMethod, count: u32) -> usize {
        let text: String = (0..count)
            .map(|n| format!("{} v{n}\n", key(method, n)))
            .collect();
        let list = List::read(Arc::from(text.as_bytes()), Columns::Two, Hosts::new());
        let view = list.view(method, false, ListValues::Text).unwrap();
        let lookups = (0..100).map(|part| {
            let n = part * (count / 10).max(1) % count;
            STEPS.with(|steps| steps.set(0));
            let asked = asked(method, n);
            let found = view.find(Input::Str(asked.as_bytes()), |m| {
                m.value(|value| String::from_utf8_lossy(value).into_owned())
            });
            assert_eq!(found, Some(format!("v{n}")), "{method:?} {asked}");
            STEPS.with(std::cell::Cell::get)
        });
        lookups.max().unwrap()
    }

    #[test]
    fn a_lookup_among_a_hundred_thousand_looks_at_little_more_than_one_among_ten() {
        for (method, more) in [
            // One bucket of a hash table.
            (MatchMethod::Str, 0),
            // A search by halves in three arrays at most: 14 more halvings in each.
            (MatchMethod::Beg, 3 * 14),
            (MatchMethod::End, 3 * 14),
            (MatchMethod::Ip, 2 * 14),
            (MatchMethod::Int, 14),
            // One walk of one automaton along the text.
            (MatchMethod::Dom, 0),
        ] {
            let (few, many) = (most(method, 10), most(method, 100_000));
            assert!(few > 0, "{method:?} is not counted");
            assert!(
                many <= few + more,
                "{method:?}: {few} of 10, {many} of 100,000"
            );
        }
    }

    #[test]
    fn a_list_of_regular_expressions_is_one_automaton() {
        // Their automaton is built from all of them: a hundred thousand take a minute to compile.
        let (few, many) = (most(MatchMethod::Reg, 10), most(MatchMethod::Reg, 2_000));
        assert!(few > 0);
        assert_eq!(few, many);
    }
}
