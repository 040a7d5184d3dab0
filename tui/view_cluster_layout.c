#include "tui/view_cluster.h"

#define DETAILS_SIDE_FROM 104 /* columns of the body from which details stand at the side */
#define DETAILS_BELOW_FROM 17 /* rows from which they stand below */
#define DETAILS_ROWS 6
#define BOX_WIDTH_MIN 19
#define BOX_HEIGHT_MIN 4
#define BOX_WIDTH_BEST 34

static void
layout_boxes(ClusterLayout *layout, const Picture *picture)
{
    int count = MAX((int)picture->nodes->len, 1), most = 0;
    int columns_max = CLAMP(layout->nodes.width / BOX_WIDTH_MIN, 1, count);
    for (guint i = 0; i < picture->nodes->len; i++)
        most = MAX(most, (int)picture_node(picture, i)->pods->len);
    int wanted = MAX(most + 3, BOX_HEIGHT_MIN);
    layout->columns = CLAMP(layout->nodes.width / BOX_WIDTH_BEST, 1, columns_max);
    for (; layout->columns < columns_max; layout->columns++) {
        int rows = (count + layout->columns - 1) / layout->columns;
        if (rows * wanted <= layout->nodes.height)
            break;
    }
    int rows = (count + layout->columns - 1) / layout->columns;
    layout->box_width = layout->nodes.width / layout->columns;
    layout->box_height = CLAMP(layout->nodes.height / rows, BOX_HEIGHT_MIN, wanted);
    layout->rows_shown = CLAMP(layout->nodes.height / layout->box_height, 1, rows);
    layout->box_height = CLAMP(layout->nodes.height / layout->rows_shown, layout->box_height,
                               MAX(wanted, layout->box_height));
}

void
cluster_layout(ClusterLayout *layout, Rect rect, const Picture *picture)
{
    *layout = (ClusterLayout){0};
    Rect left = rect;
    if (rect.width >= DETAILS_SIDE_FROM) {
        int width = CLAMP(rect.width * 2 / 5, 44, 64);
        layout->details = (Rect){rect.x + rect.width - width, rect.y, width, rect.height};
        left.width -= width + 1;
    } else if (rect.height >= DETAILS_BELOW_FROM) {
        layout->details =
            (Rect){rect.x, rect.y + rect.height - DETAILS_ROWS, rect.width, DETAILS_ROWS};
        left.height -= DETAILS_ROWS;
    }
    int control = (int)picture->n_components - 1; /* etcd and the API server share a line */
    layout->compact = left.height < control + 7;
    layout->control = left;
    layout->control.height = layout->compact ? MIN(1, left.height) : control;
    layout->nodes = left;
    layout->nodes.y += layout->control.height;
    layout->nodes.height = MAX(left.height - layout->control.height, 0);
    layout_boxes(layout, picture);
}
