#include <string.h>

#include "core/object/yaml.h"
#include "sim/backend/simulated/images.h"
#include "tests/sim/backend/simulated/suites.h"

START_TEST(names_are_completed_as_containerd_does)
{
    static const struct {
        const char *image, *full, *registry;
    } table[] = {
        {"nginx", "docker.io/library/nginx:latest", "docker.io"},
        {"nginx:1.27", "docker.io/library/nginx:1.27", "docker.io"},
        {"grafana/grafana", "docker.io/grafana/grafana:latest", "docker.io"},
        {"registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10", "registry.k8s.io"},
        {"localhost:5000/a/b:2", "localhost:5000/a/b:2", "localhost:5000"},
        {"nginx@sha256:abc", "docker.io/library/nginx@sha256:abc", "docker.io"},
        {"Nginx", NULL, NULL},
        {"nginx:", NULL, NULL},
        {"a b", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_auto(ImageName) name = {0};
        bool valid = image_name_parse(table[i].image, &name);
        ck_assert_msg(valid == (table[i].full != NULL), "%s", table[i].image);
        if (!valid)
            continue;
        ck_assert_str_eq(name.full, table[i].full);
        ck_assert_str_eq(name.registry, table[i].registry);
    }
}
END_TEST

static char *
refusal(SimulatedImages *images, const char *image)
{
    g_auto(ImageName) name = {0};
    ck_assert(image_name_parse(image, &name));
    return simulated_images_refusal(images, &name, "linux");
}

START_TEST(what_the_models_do_not_list_does_not_exist)
{
    static const struct {
        const char *image;
        bool exists;
    } table[] = {
        {"nginx", true},          {"nginx:1.27", true},       {"nginx:1.14.2", true},     {"nginx:1.27-alpine", true},
        {"nginx:nope", false},    {"nginx:1.161", false},     {"redis:7.4", true},        {"redis:banana", false},
        {"someone/unknown", true}, {"someone/unknown:does-not-exist", false}, {"busybox:1.36", true},
        {"registry.drones.example/api:1.0", true}, {"registry.drones.example/api:9.9", false},
        {"mongo:8.0", true}, {"rabbitmq:4.0", true}, {"registry.k8s.io/etcd:3.6.5-0", true},
    };
    SimulatedImages *images = simulated_images_new();
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text = refusal(images, table[i].image);
        ck_assert_msg((text == NULL) == table[i].exists, "%s: %s", table[i].image, text);
    }
    g_autofree char *nope = refusal(images, "nginx:nope");
    ck_assert_str_eq(nope, "failed to pull and unpack image \"docker.io/library/nginx:nope\": failed to resolve reference "
                           "\"docker.io/library/nginx:nope\": docker.io/library/nginx:nope: not found");
    g_autofree char *windows = refusal(images, "registry.drones.example/legacy-processor:4.5");
    ck_assert_ptr_nonnull(strstr(windows, "no match for platform in manifest"));
    simulated_images_set_registry_down(images, "docker.io", true);
    g_autofree char *down = refusal(images, "nginx");
    ck_assert_ptr_nonnull(strstr(down, "i/o timeout"));
    g_autofree char *other = refusal(images, "registry.k8s.io/pause:3.10");
    ck_assert_ptr_null(other);
    simulated_images_free(images);
}
END_TEST

START_TEST(added_models_win_over_built_in_ones)
{
    static const char text[] = "images:\n- {name: docker.io/library/nginx, tags: [mine], size: 1Mi}\n";
    SimulatedImages *images = simulated_images_new();
    g_autoptr(Value) document = yaml_parse(text, strlen(text), NULL), bad = yaml_parse("[{size: 1}]", 11, NULL);
    ck_assert(simulated_images_add(images, document, NULL));
    g_autofree char *mine = refusal(images, "nginx:mine"), *latest = refusal(images, "nginx");
    ck_assert_ptr_null(mine);
    ck_assert_ptr_nonnull(latest);
    g_autoptr(GError) error = NULL;
    ck_assert(!simulated_images_add(images, bad, &error));
    ck_assert_str_eq(error->message, "image model 1 has no name");
    simulated_images_free(images);
}
END_TEST

TCase *
images_case(void)
{
    return test_case("images", names_are_completed_as_containerd_does, what_the_models_do_not_list_does_not_exist,
                     added_models_win_over_built_in_ones);
}
