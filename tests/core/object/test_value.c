#include "core/object/value.h"
#include "core/object/value_private.h"
#include "tests/core/object/suites.h"

static Value *
sample_pod(void)
{
    return value_new_f("{kind: Pod, metadata: {name: web-1, labels: {app: web,"
                       " 'app.kubernetes.io/name': shop}}, spec: {containers: ["
                       "{name: a, image: nginx:1.25}, {name: b, image: redis}]}}");
}

START_TEST(a_map_keeps_its_keys_sorted_and_single)
{
    g_autoptr(Value) map = value_new_f("{b: 1, a: 2, c: 3, a: 4}");

    ck_assert_uint_eq(value_size(map), 3);
    ck_assert_str_eq(value_key_at(map, 0), "a");
    ck_assert_str_eq(value_key_at(map, 2), "c");
    ck_assert_int_eq(value_int_at(map, "a"), 4);
    ck_assert_ptr_null(value_key_at(map, 3));
}
END_TEST

START_TEST(readers_answer_null_as_missing)
{
    ck_assert_int_eq(value_type(NULL), VALUE_NULL);
    ck_assert_ptr_null(value_get(NULL, "x"));
    ck_assert_ptr_null(value_at(NULL, "a.b[0]"));
    ck_assert_ptr_null(value_string(NULL));
    ck_assert_str_eq(value_text_at(NULL, "x"), "");
    ck_assert_int_eq(value_int_at_or(NULL, "x", 7), 7);
    ck_assert_uint_eq(value_size(NULL), 0);
    value_unref(NULL);
}
END_TEST

START_TEST(paths_reach_items_and_keys_with_dots)
{
    g_autoptr(Value) pod = sample_pod();

    ck_assert_str_eq(value_string_at(pod, "spec.containers[0].image"), "nginx:1.25");
    ck_assert_str_eq(value_string_at(pod, "spec.containers[-1].name"), "b");
    ck_assert_str_eq(value_string_at(pod, "metadata.labels['app.kubernetes.io/name']"), "shop");
    ck_assert_ptr_null(value_at(pod, "spec.containers[2].name"));
    ck_assert_ptr_null(value_at(pod, "spec.containers[-3]"));
    ck_assert_ptr_null(value_at(pod, "kind.name"));
    ck_assert_ptr_eq(value_at(pod, ""), pod);
}
END_TEST

START_TEST(an_edit_leaves_the_old_root_and_shares_the_rest)
{
    g_autoptr(Value) pod = sample_pod();
    uint64_t before = value_digest(pod);
    g_autoptr(Value) edited =
        value_set_at(pod, "spec.containers[1].image", value_new_string("redis:7"));

    ck_assert_str_eq(value_string_at(pod, "spec.containers[1].image"), "redis");
    ck_assert_str_eq(value_string_at(edited, "spec.containers[1].image"), "redis:7");
    ck_assert_ptr_eq(value_at(pod, "metadata"), value_at(edited, "metadata"));
    ck_assert_ptr_eq(value_at(pod, "spec.containers[0]"), value_at(edited, "spec.containers[0]"));
    ck_assert_uint_eq(value_digest(pod), before);
    ck_assert_uint_ne(value_digest(edited), before);
}
END_TEST

START_TEST(an_edit_that_changes_nothing_gives_the_same_root)
{
    g_autoptr(Value) pod = sample_pod();
    g_autoptr(Value) same = value_set_at(pod, "metadata.name", value_new_string("web-1"));
    g_autoptr(Value) removed = value_remove_at(pod, "metadata.nothing.here");
    g_autoptr(Value) set = value_set(pod, "kind", value_new_string("Pod"));
    g_autoptr(Value) gone = value_remove(pod, "nothing");

    ck_assert_ptr_eq(pod, same);
    ck_assert_ptr_eq(pod, removed);
    ck_assert_ptr_eq(pod, set);
    ck_assert_ptr_eq(pod, gone);
}
END_TEST

START_TEST(missing_maps_and_arrays_are_made_on_the_way)
{
    Value *value = NULL;

    value_edit(&value, "a.b[0].c", value_new_int(1));
    value_edit(&value, "a.b[1]", value_new_bool(true));
    g_autoptr(Value) expected = value_new_f("{a: {b: [{c: 1}, true]}}");
    ck_assert(value_equal(value, expected));
    value_edit_remove(&value, "a.b[0].c");
    value_edit_remove(&value, "a.b[-1]");
    g_autoptr(Value) left = value_new_f("{a: {b: [{}]}}");
    ck_assert(value_equal(value, left));
    value_unref(value);
}
END_TEST

START_TEST(an_edit_of_a_sole_reference_happens_in_place)
{
    Value *value = value_new_f("{a: {n: 1000}, b: 2}");
    const Value *root = value;
    const Value *inner = value_get(value, "a");
    uint64_t digest = value_digest(value);

    value_edit(&value, "a.n", value_new_int(1001));
    ck_assert_ptr_eq(value, root);
    ck_assert_ptr_eq(value_get(value, "a"), inner);
    ck_assert_uint_ne(value_digest(value), digest);
    value_unref(value);
}
END_TEST

START_TEST(an_edit_of_a_shared_subtree_copies_it)
{
    g_autoptr(Value) labels = value_new_f("{app: web}");
    Value *pod = value_new_f("{metadata: {labels: %v}}", labels);

    value_edit(&pod, "metadata.labels.app", value_new_string("db"));
    ck_assert_str_eq(value_string_at(labels, "app"), "web");
    ck_assert_str_eq(value_string_at(pod, "metadata.labels.app"), "db");
    value_unref(pod);
}
END_TEST

START_TEST(arrays_append_set_and_remove_items)
{
    g_autoptr(Value) empty = value_new_array();
    g_autoptr(Value) one = value_append(empty, value_new_string("a"));
    g_autoptr(Value) two = value_append(one, value_new_string("b"));
    g_autoptr(Value) changed = value_set_item(two, 0, value_new_string("z"));
    g_autoptr(Value) last = value_remove_item(changed, 0);

    ck_assert_uint_eq(value_size(empty), 0);
    ck_assert_uint_eq(value_size(one), 1);
    ck_assert_str_eq(value_text(value_item(two, 1)), "b");
    ck_assert_str_eq(value_text(value_item(changed, 0)), "z");
    ck_assert_uint_eq(value_size(last), 1);
    ck_assert_str_eq(value_text(value_item(last, 0)), "b");
}
END_TEST

START_TEST(a_builder_never_changes_its_base)
{
    g_autoptr(Value) pod = sample_pod();
    ValueBuilder *builder = value_builder_new(pod);

    value_builder_set(builder, "status", value_new_map());
    value_builder_set_at(builder, "status.phase", value_new_string("Running"));
    value_builder_remove(builder, "kind");
    value_builder_remove_at(builder, "spec.containers[0]");
    g_autoptr(Value) built = value_builder_end(builder);
    ck_assert_str_eq(value_text_at(built, "status.phase"), "Running");
    ck_assert_uint_eq(value_size(value_at(built, "spec.containers")), 1);
    ck_assert(!value_has(built, "kind"));
    ck_assert_str_eq(value_text_at(pod, "kind"), "Pod");
    ck_assert_uint_eq(value_size(value_at(pod, "spec.containers")), 2);
}
END_TEST

START_TEST(optional_template_entries_fall_away)
{
    g_autoptr(Value) none = value_new_f("{a: ?%s, b: ?%v, c: ?%V, d: ?%i, e: ?%b, f: %s}", NULL, NULL,
                                        NULL, (int64_t)0, 0, NULL);
    g_autoptr(Value) all =
        value_new_f("{%s: ?%s, b: ?%i, c: [%b, %d, 'it is', -5, 1.5]}", "key", "x", (int64_t)9, 1, 2.5);
    g_autoptr(Value) expected =
        value_new_f("{key: \"x\", b: 9, c: [true, 2.5, \"it is\", -5, 1.5]}");

    ck_assert_uint_eq(value_size(none), 1);
    ck_assert(value_is_null(value_get(none, "f")));
    ck_assert(value_equal(all, expected));
}
END_TEST

START_TEST(loops_break_and_continue_like_any_loop)
{
    g_autoptr(Value) map = value_new_f("{a: 1, b: 2, c: 3, d: 4}");
    int sum = 0, seen = 0;

    VALUE_MAP_FOREACH (key, item, map) {
        if (strcmp(key, "b") == 0)
            continue;
        if (strcmp(key, "d") == 0)
            break;
        sum += (int)value_int(item);
    }
    ck_assert_int_eq(sum, 4);
    g_autoptr(Value) array = value_new_f("[1, 2, 3, 4]");
    VALUE_ARRAY_FOREACH (item, array) {
        if (value_int(item) == 2)
            continue;
        if (value_int(item) == 4)
            break;
        seen++;
    }
    ck_assert_int_eq(seen, 2);
    VALUE_ARRAY_FOREACH (item, NULL)
        ck_abort_msg("%p", (const void *)item);
}
END_TEST

START_TEST(equality_and_order_follow_type_then_content)
{
    g_autoptr(Value) sorted = value_new_f("[null, false, true, -1, 1, 1.0, 1.5, a, ab, b, [], [1], {}, "
                                          "{a: 1}, {a: 2}, {b: 1}]");

    for (size_t i = 0; i < value_size(sorted); i++) {
        for (size_t j = 0; j < value_size(sorted); j++) {
            int order = value_compare(value_item(sorted, i), value_item(sorted, j));
            ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
            ck_assert_int_eq(value_equal(value_item(sorted, i), value_item(sorted, j)), i == j);
            ck_assert_int_eq(value_digest(value_item(sorted, i)) ==
                                 value_digest(value_item(sorted, j)),
                             i == j);
        }
    }
}
END_TEST

START_TEST(the_digest_is_of_content_and_stays_the_same_on_every_machine)
{
    g_autoptr(Value) one = value_new_f("{a: [1, two, 3.5, null, true], b: {}}");
    g_autoptr(Value) other = value_new_f("{b: {}, a: [1, two, 3.5, null, true]}");

    ck_assert_uint_eq(value_digest(one), value_digest(other));
    ck_assert_uint_eq(value_digest(one), UINT64_C(258885734742115548));
}
END_TEST

START_TEST(a_tree_a_million_deep_is_freed_without_recursion)
{
    Value *value = value_new_array();

    for (int i = 0; i < 1000000; i++) {
        Value *inner = value;
        value = value_append(NULL, inner);
    }
    value_unref(value);
}
END_TEST

START_TEST(strings_may_hold_zero_bytes)
{
    g_autoptr(Value) a = value_new_string_len("a\0b", 3);
    g_autoptr(Value) b = value_new_string_len("a\0c", 3);

    ck_assert_uint_eq(value_string_len(a), 3);
    ck_assert(!value_equal(a, b));
    ck_assert_uint_ne(value_digest(a), value_digest(b));
}
END_TEST

START_TEST(doubles_out_of_range_saturate_as_integers)
{
    g_autoptr(Value) big = value_new_double(1e300);
    g_autoptr(Value) small = value_new_double(-1e300);
    g_autoptr(Value) half = value_new_double(-2.5);

    ck_assert_int_eq(value_int(big), INT64_MAX);
    ck_assert_int_eq(value_int(small), INT64_MIN);
    ck_assert_int_eq(value_int(half), -2);
}
END_TEST

START_TEST(well_known_keys_are_sorted_and_found)
{
    ck_assert_uint_eq(value_key_new("metadata", 8)->refs, 0);
    ck_assert_uint_eq(value_key_new("Port", 4)->refs, 0);
    static const char *const names[] = {
#define KEY(name) name,
#include "core/object/value_keys.inc"
#undef KEY
    };
    for (size_t i = 1; i < G_N_ELEMENTS(names); i++)
        ck_assert_str_lt(names[i - 1], names[i]);
}
END_TEST

TCase *
value_case(void)
{
    return test_case(
        "value", a_map_keeps_its_keys_sorted_and_single, readers_answer_null_as_missing,
        paths_reach_items_and_keys_with_dots, an_edit_leaves_the_old_root_and_shares_the_rest,
        an_edit_that_changes_nothing_gives_the_same_root,
        missing_maps_and_arrays_are_made_on_the_way, an_edit_of_a_sole_reference_happens_in_place,
        an_edit_of_a_shared_subtree_copies_it, arrays_append_set_and_remove_items,
        a_builder_never_changes_its_base, optional_template_entries_fall_away,
        loops_break_and_continue_like_any_loop, equality_and_order_follow_type_then_content,
        the_digest_is_of_content_and_stays_the_same_on_every_machine,
        a_tree_a_million_deep_is_freed_without_recursion, strings_may_hold_zero_bytes,
        doubles_out_of_range_saturate_as_integers, well_known_keys_are_sorted_and_found);
}
