//! Sorted maps and sets behave as std's, whatever is done to them.

use std::collections::{BTreeMap, BTreeSet};

use simulation::Random;
use simulation::sorted::{self, SortedMap, SortedSet};

#[test]
fn a_map_does_what_a_tree_does() {
    for seed in 0..200 {
        let mut random = Random::from_seed(seed);
        let (mut map, mut tree) = (SortedMap::new(), BTreeMap::new());
        for step in 0..200_u64 {
            let key = random.below(40);
            match random.below(8) {
                0..3 => assert_eq!(map.insert(key, step), tree.insert(key, step), "seed {seed}"),
                3 => assert_eq!(map.remove(&key), tree.remove(&key), "seed {seed}"),
                4 => {
                    *map.entry(key).or_default() += step;
                    *tree.entry(key).or_default() += step;
                }
                5 => assert_eq!(map.pop_first(), tree.pop_first(), "seed {seed}"),
                6 => {
                    let end = random.below(40);
                    assert!(map.range(key..).eq(tree.range(key..)), "seed {seed}");
                    assert!(map.range(..=key).eq(tree.range(..=key)), "seed {seed}");
                    if key < end {
                        assert!(map.range(key..end).eq(tree.range(key..end)), "seed {seed}");
                    }
                }
                _ => {
                    assert!(map.split_off(&key).into_iter().eq(tree.split_off(&key)));
                }
            }
            assert_eq!(map.get(&key), tree.get(&key), "seed {seed}");
            assert!(map.iter().eq(tree.iter()), "seed {seed}");
            assert!(map.iter().rev().eq(tree.iter().rev()), "seed {seed}");
            assert_eq!(map.last_key_value(), tree.last_key_value(), "seed {seed}");
            assert_eq!(format!("{map:?}"), format!("{tree:?}"), "seed {seed}");
        }
        let shuffled: Vec<(u64, u64)> = (0..50).map(|at| (random.below(30), at)).collect();
        let (map, tree) = (
            shuffled.iter().copied().collect::<SortedMap<_, _>>(),
            shuffled.iter().copied().collect::<BTreeMap<_, _>>(),
        );
        assert!(map.into_iter().eq(tree), "seed {seed}: the last of equal keys counts");
    }
}

#[test]
fn a_set_does_what_a_tree_does() {
    for seed in 0..200 {
        let mut random = Random::from_seed(seed);
        let mut draw = || (0..20).map(|_| random.below(30)).collect::<Vec<_>>();
        let (a, b) = (draw(), draw());
        let sets: [SortedSet<u64>; 2] = [a.iter().copied().collect(), b.iter().copied().collect()];
        let trees: [BTreeSet<u64>; 2] = [a.iter().copied().collect(), b.iter().copied().collect()];
        assert!(sets[0].iter().eq(trees[0].iter()), "seed {seed}");
        assert!(sets[0].union(&sets[1]).eq(trees[0].union(&trees[1])), "seed {seed}");
        assert!(sets[0].difference(&sets[1]).eq(trees[0].difference(&trees[1])), "seed {seed}");
        assert!(sets[0].intersection(&sets[1]).eq(trees[0].intersection(&trees[1])), "seed {seed}");
        assert_eq!(sets[0].is_subset(&sets[1]), trees[0].is_subset(&trees[1]), "seed {seed}");
        assert_eq!(sets[0].is_disjoint(&sets[1]), trees[0].is_disjoint(&trees[1]), "seed {seed}");
    }
}

#[test]
fn sorting_is_stable() {
    for seed in 0..300 {
        let mut random = Random::from_seed(seed);
        let length = random.below(60);
        let mut ours: Vec<(u64, u64)> = (0..length).map(|at| (random.below(10), at)).collect();
        let mut theirs = ours.clone();
        sorted::sort_by_key(&mut ours, |(key, _)| *key);
        theirs.sort_by_key(|(key, _)| *key);
        assert_eq!(ours, theirs, "seed {seed}");
        sorted::sort_by(&mut ours, |a, b| b.cmp(a));
        theirs.sort_by(|a, b| b.cmp(a));
        assert_eq!(ours, theirs, "seed {seed}");
    }
}
