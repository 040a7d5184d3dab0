/* A lesson in the dashboard: its prose beside the cluster that it is about. */
#pragma once

#include "sim/scenario/lesson.h"
#include "sim/world/live.h"

typedef struct LearnDashboard {
    const Lesson *lesson;
    LessonPlay *play;     /* begun; of live's world */
    Live *live;
    const char *language; /* of the lesson's texts: "en" or "es" */
    bool ascii;
    void (*progressed)(void *data); /* something is to be kept: a step was passed, a hint was read; may be NULL */
    void *data;
} LearnDashboard;

/* Until the person leaves. False with an error when there is no terminal. */
bool learn_dashboard_run(const LearnDashboard *options, GError **error);
