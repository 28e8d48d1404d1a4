/* The preprocessing of @name@_prepare.h. Written by mnist-edge @version@; do not edit.
 *
 * Stages in the order of execution are in the order of docs/preprocessing.md of mnist-edge, which specifies each: what
 * might be the background, Otsu's threshold, components and the sharpness of their edges, the digit among them, ruled
 * lines, fainter ends, stroke width, size and place. A plane has one byte a pixel, a mask one bit a pixel. Components
 * are not stored: they are traced again, run by run, whenever something of them is asked. */
#include "@name@_prepare.h"

#define NONE 255            /* a threshold that nothing exceeds */
#define DARKEST 32          /* grey levels of a background */
#define CONTRAST 16         /* grey levels */
#define SURE 205            /* of 256: a hypothesis with this score is taken */
#define FAIR 128            /* the same in a picture that is too small for more than one light */
#define HYPOTHESES 5        /* two of a uniform background, three of an uneven one */
#define IMAGE 28            /* pixels */
#define LINE (@upper@_PREPARE_LONGER * 6 / 5 + 2) /* pixels: a line of the coarse light with its margins */
#define ENLARGED 118        /* pixels: the side of a small digit, enlarged and widened */

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }
static int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }

/* A picture in which the digit is looked for, and its memory. */
typedef struct {
    const uint8_t *picture;
    int32_t width, height, noise;           /* the latter in sixteenths of a level */
    uint8_t *ink;                           /* a plane: the ink under a hypothesis; before that, a page for filters */
    uint8_t *lights, *spare;                /* lights under hypotheses; a coarse plane, or a byte for each component */
    uint8_t *near_ink;                      /* a plane: the ink near the strokes; then, the digit's strokes widened */
    uint8_t *visited, *strokes, *grown, *scratch; /* masks */
} Look;

/* The ink under a hypothesis: the level that separates it, the level that takes away all light, and noise's reach; the
 * light, and of a light that is kept the polarity, below 0 before it is known, and the share that is no ink. */
typedef struct {
    int32_t threshold, full, noise, light, polarity, middle;
} Map;

typedef struct {
    int32_t top, left, bottom, right;       /* the latter two excluded */
} Box;

/* The digit's strokes: where they were found, what they exceed, how sure they are, and how much ink they are. */
typedef struct {
    int32_t times, hypothesis, threshold, score;
    int64_t mass;
    Box box;
    Map map;
} Strokes;

/* ---- Masks ---- */

static int has(const uint8_t *mask, int32_t place) { return mask[place >> 3] >> (place & 7) & 1; }
static void set(uint8_t *mask, int32_t place) { mask[place >> 3] |= (uint8_t)(1 << (place & 7)); }

static void clear(uint8_t *mask, const Look *look) {
    int32_t i, bytes = (look->width * look->height + 7) / 8;
    for (i = 0; i < bytes; i++) mask[i] = 0;
}

/* ---- Counts of levels ---- */

static void count_nothing(uint32_t counts[256]) {
    int i;
    for (i = 0; i < 256; i++) counts[i] = 0;
}

/* The lowest level so that more than `rank` values are not above it: the value at this place of the sorted values. */
static int32_t ranked(const uint32_t counts[256], uint32_t rank) {
    uint32_t below = 0;
    int32_t level;
    for (level = 0; level < 255; level++)
        if ((below += counts[level]) > rank) break;
    return level;
}

/* The noise in sixteenths of a level, by the median difference between neighbours in a row. */
static int32_t noise_of(const Look *look) {
    uint32_t counts[256], before = 0, total;
    int32_t y, x, level, start, width, size = look->width * look->height;
    int32_t step = size > 20000 ? size / 10000 : 1;
    count_nothing(counts);
    for (y = 0; y < look->height; y += step) {
        const uint8_t *row = look->picture + y * look->width;
        for (x = 1; x < look->width; x++) counts[row[x] > row[x - 1] ? row[x] - row[x - 1] : row[x - 1] - row[x]]++;
    }
    total = (uint32_t)((look->height + step - 1) / step * (look->width - 1));
    level = ranked(counts, (total + 1) / 2 - 1);
    for (x = 0; x < level; x++) before += counts[x];
    start = level ? 16 * level - 8 : 0;
    width = level ? 16 : 8;
    return (start + width * (int32_t)(total / 2 - before) / (int32_t)counts[level]) * 1048 / 1000;
}

/* Otsu's threshold of the levels above `floor`. */
static int32_t otsu(const uint32_t counts[256], int32_t floor) {
    uint64_t best = 0;
    int64_t total = 0, mass = 0, lower = 0, below = 0;
    int32_t level, threshold = NONE, levels = 0, only = NONE;
    for (level = floor + 1; level < 256; level++) {
        if (!counts[level]) continue;
        total += counts[level];
        mass += (int64_t)counts[level] * level;
        levels++;
        only = level - 1;
    }
    if (levels < 2) return only;
    for (level = floor + 1; level < 256; level++) {
        int64_t apart, product;
        if (!counts[level]) continue;
        lower += counts[level];
        below += (int64_t)counts[level] * level;
        if (lower == total) break;
        apart = (mass - below) * 16 / (total - lower) - below * 16 / lower;
        product = lower * (total - lower);
        if (total > 4096) product >>= 6;
        if (threshold == NONE || (uint64_t)(apart * apart * product) > best) {
            best = (uint64_t)(apart * apart * product);
            threshold = level;
        }
    }
    return threshold;
}

/* ---- The light on the background ---- */

static int32_t light_step(int32_t width, int32_t height) { return most(width, height) <= 80 ? 1 : 2; }

static int32_t light_reach(int32_t width, int32_t height, int32_t window) {
    return most(1, (window * most(width, height) + 100) / 200);
}

static int32_t page_size(int32_t width, int32_t height) {
    int32_t step = light_step(width, height), reach = 2 * light_reach(width / step, height / step, 70);
    return (width / step + reach) * (height / step + reach);
}

/* The mean of a block, halves rounded up. */
static uint8_t block_mean(const uint8_t *picture, int32_t stride, int32_t rows, int32_t columns) {
    uint32_t sum = 0, count = (uint32_t)(rows * columns);
    int32_t y, x;
    for (y = 0; y < rows; y++)
        for (x = 0; x < columns; x++) sum += picture[y * stride + x];
    return (uint8_t)((sum + count / 2) / count);
}

/* Write the greatest of `size` neighbours from each on, in a line of pixels that lie a step apart, and that `margin`
 * pixels of 0 precede and follow; with flip 255 the least, and 255. By van Herk: three comparisons for any size. */
static void slide(const uint8_t *from, int32_t from_step, uint8_t *to, int32_t to_step, int32_t count, int32_t margin,
                  int32_t size, uint8_t flip) {
    uint8_t line[LINE], greatest;
    int32_t start, i, number = count + 2 * margin, last = number - size;
    for (i = 0; i < margin; i++) line[i] = line[number - 1 - i] = 0;
    for (i = 0; i < count; i++, from += from_step) line[margin + i] = *from ^ flip;
    for (start = 0; start <= last; start += size) {
        const uint8_t *ahead = line + start + size - 1; /* the end of this block, then pixels of the next one */
        int32_t end = least(start + size - 1, last);
        for (greatest = 0, i = start + size - 1; i >= start; i--) {
            if (line[i] > greatest) greatest = line[i];
            else line[i] = greatest;
        }
        for (greatest = 0, i = start; i <= end; i++, ahead++, to += to_step) {
            if (*ahead > greatest) greatest = *ahead;
            *to = (line[i] > greatest ? line[i] : greatest) ^ flip;
        }
    }
}

/* Replace each pixel of a part by the greatest within `reach` to each side; with flip 255 by the least. */
static void filter(uint8_t *part, int32_t stride, int32_t width, int32_t height, int32_t reach, uint8_t flip) {
    int32_t i;
    for (i = 0; i < height; i++) slide(part + i * stride, 1, part + i * stride, 1, width, reach, 2 * reach + 1, flip);
    for (i = 0; i < width; i++) slide(part + i, stride, part + i, stride, height, reach, 2 * reach + 1, flip);
}

/* Write the coarse light, a closing: the least of the greatest, also of those that lie outside; inverted, an opening. */
static void find_light(const Look *look, const uint8_t *coarse, int32_t reach, uint8_t invert, uint8_t *light) {
    int32_t step = light_step(look->width, look->height), width = look->width / step, height = look->height / step;
    int32_t stride = width + 2 * reach, rows = height + 2 * reach, size = 2 * reach + 1, i;
    uint8_t *page = look->ink;
    for (i = 0; i < height; i++) slide(coarse + i * width, 1, page + i * stride, 1, width, 2 * reach, size, invert);
    for (i = 0; i < stride; i++) slide(page + i, stride, page + i, stride, height, 2 * reach, size, invert);
    for (i = 0; i < rows; i++) slide(page + i * stride, 1, page + i * stride, 1, stride, 0, size, 255 ^ invert);
    for (i = 0; i < width; i++) slide(page + i, stride, light + i, width, rows, 0, size, 255 ^ invert);
}

/* Write and count the shares of the light, of 255, that pixels absorb; return the most levels that one absorbs. */
static int32_t write_shares(const Look *look, const uint8_t *light, uint8_t invert, uint32_t counts[256]) {
    int32_t shift = light_step(look->width, look->height) - 1, width = look->width >> shift, y, x;
    int32_t greatest = 0, here = 0, inked = 0;
    count_nothing(counts);
    for (y = 0; y < look->height; y++) {
        const uint8_t *lights = light + least(y >> shift, (look->height >> shift) - 1) * width;
        const uint8_t *levels = look->picture + y * look->width;
        uint8_t *ink = look->ink + y * look->width;
        for (x = 0; x < look->width; x++) {
            int32_t absorbed, share = 0;
            if (!(x & shift)) here = lights[least(x >> shift, width - 1)] ^ invert;
            absorbed = here - (levels[x] ^ invert);
            if (absorbed > 0) {
                greatest = most(greatest, absorbed);
                counts[share = 255 * absorbed / most(here, DARKEST)]++;
                inked++;
            }
            ink[x] = (uint8_t)share;
        }
    }
    counts[0] += (uint32_t)(look->width * look->height - inked);
    return greatest;
}

/* ---- Hypotheses about the background ---- */

/* Write the ink on a background of one level: in the polarity with more energy, or in the other one. */
static int uniform_ink(const Look *look, int is_second, uint32_t counts[256], Map *map) {
    uint32_t all[256], border[256];
    int32_t width = look->width, height = look->height, size = width * height, i, x, level, contrast[2], lights[2];
    uint64_t energy[2] = {0, 0};
    uint8_t inks[256]; /* of each level */
    int is_dark;
    count_nothing(all);
    count_nothing(border);
    for (i = 0; i < size; i++) all[look->picture[i]]++;
    for (x = 0; x < width; x++) {
        border[look->picture[x]]++;
        border[look->picture[size - width + x]]++;
    }
    for (i = 1; i < height - 1; i++) {
        border[look->picture[i * width]]++;
        border[look->picture[i * width + width - 1]]++;
    }
    level = ranked(border, (uint32_t)(2 * width + 2 * (height - 2)) / 2);
    for (i = 0; !all[i]; i++) {}
    contrast[0] = level - i;
    for (i = 255; !all[i]; i--) {}
    contrast[1] = i - level;
    lights[0] = most(level, DARKEST);
    lights[1] = most(255 - level, DARKEST);
    for (i = 0; i < 256; i++) energy[i > level] += (uint64_t)all[i] * (uint64_t)((i - level) * (i - level));
    for (i = 0; i < 2; i++) energy[i] = energy[i] * 256 / (uint64_t)(lights[i] * lights[i]);
    if (contrast[0] < CONTRAST && contrast[1] < CONTRAST) return 0;
    if (contrast[0] < CONTRAST || contrast[1] < CONTRAST) {
        if (is_second) return 0;
        is_dark = contrast[0] >= CONTRAST;
    } else {
        is_dark = (energy[1] <= energy[0]) != is_second;
    }
    count_nothing(counts);
    for (i = 0; i < 256; i++) counts[inks[i] = (uint8_t)most(is_dark ? level - i : i - level, 0)] += all[i];
    for (i = 0; i < size; i++) look->ink[i] = inks[look->picture[i]];
    map->full = map->light = lights[!is_dark];
    return 1;
}

/* Find the light in the polarity whose ink is strong and sparse, write its shares, and keep it. */
static int choose_light(const Look *look, int32_t reach, uint8_t *kept, uint32_t counts[256], Map *map) {
    int32_t step = light_step(look->width, look->height), width = look->width / step, height = look->height / step;
    int32_t size = look->width * look->height, lit = width * height, y, x, i;
    int32_t middle[2] = {0, 0}, strongest[2] = {0, 0}, levels[2] = {0, 0};
    uint64_t sum[2] = {0, 0}, cubes[2] = {0, 0};
    int polarity;
    for (y = 0; y < height && step > 1; y++)
        for (x = 0; x < width; x++) {
            const uint8_t *block = look->picture + (y * look->width + x) * 2;
            look->spare[y * width + x] =
                (uint8_t)((block[0] + block[1] + block[look->width] + block[look->width + 1] + 2) >> 2);
        }
    find_light(look, step > 1 ? look->spare : look->picture, reach, 0, kept);
    find_light(look, step > 1 ? look->spare : look->picture, reach, 255, look->spare);
    for (polarity = 1; polarity >= 0; polarity--) { /* the picture itself last: its shares are more often the ink */
        const uint8_t *light = polarity ? look->spare : kept;
        uint8_t invert = polarity ? 255 : 0;
        count_nothing(counts);
        for (i = 0; i < lit; i++) counts[light[i] ^ invert]++;
        levels[polarity] = most(ranked(counts, (uint32_t)lit / 2), DARKEST);
        if (write_shares(look, light, invert, counts) < CONTRAST) continue;
        middle[polarity] = ranked(counts, (uint32_t)(size + 1) / 2 - 1);
        for (i = middle[polarity] + 1; i < 256; i++) {
            if (!counts[i]) continue;
            strongest[polarity] = i - middle[polarity];
            sum[polarity] += (uint64_t)counts[i] * (uint64_t)(i - middle[polarity]);
        }
        cubes[polarity] = (uint64_t)strongest[polarity] * (uint64_t)strongest[polarity] * (uint64_t)strongest[polarity];
    }
    if (!strongest[0] && !strongest[1]) return 0;
    polarity = !strongest[0] || (strongest[1] && sum[1] * cubes[0] < sum[0] * cubes[1]);
    for (i = 0; i < lit && polarity; i++) kept[i] = look->spare[i];
    if (polarity) write_shares(look, kept, 255, counts);
    map->polarity = polarity;
    map->middle = middle[polarity];
    map->light = levels[polarity];
    return 1;
}

/* Write the ink under the light of a closing; -1: it is too small. */
static int uneven_ink(const Look *look, int32_t hypothesis, uint32_t counts[256], Map *map) {
    static const uint8_t percent[3] = {70, 35, 12};
    int32_t step = light_step(look->width, look->height), width = look->width / step, height = look->height / step;
    int32_t reach = light_reach(width, height, percent[hypothesis]), i;
    uint8_t *kept = look->lights + (step > 1 ? hypothesis * width * height : 0); /* all in one of small pictures */
    if (reach < 3) return -1;
    if (step > 1 && map->polarity >= 0) write_shares(look, kept, map->polarity ? 255 : 0, counts);
    else if (!choose_light(look, reach, kept, counts, map)) return 0;
    for (i = 1; i < 256; i++) {
        if (i <= map->middle) counts[0] += counts[i];
        else counts[i - map->middle] = counts[i];
    }
    for (i = most(256 - map->middle, 1); i < 256; i++) counts[i] = 0;
    for (i = 0; i < look->width * look->height && map->middle; i++)
        look->ink[i] = (uint8_t)most(look->ink[i] - map->middle, 0);
    map->full = 255;
    return 1;
}

/* Write the ink under a hypothesis; 0: there is none, -1: nor under the next ones. */
static int map_ink(const Look *look, int32_t hypothesis, Map *map) {
    uint32_t counts[256];
    int found = hypothesis < 2 ? uniform_ink(look, hypothesis == 1, counts, map)
                               : uneven_ink(look, hypothesis - 2, counts, map);
    if (found <= 0) return found;
    map->noise = least(4 * look->noise * map->full / (16 * map->light), map->full * 2 / 5);
    map->threshold = otsu(counts, most(map->full / 25, map->noise));
    return 1;
}

/* ---- Components and the sharpness of their edges ---- */

/* A part of a plane in which components are what exceeds a threshold. */
typedef struct {
    const Look *look;
    const uint8_t *ink;                     /* its first pixel */
    int32_t first;                          /* place of that pixel in masks */
    int32_t width, height, threshold, noise;
    int is_measured;                        /* whether rims are measured */
    int may_be_solid;                       /* whether anything is as large as a shadow; below 0: not known yet */
    int is_square_sought;
    const uint8_t *seeds;                   /* a mask whose pixels are counted, or 0 */
} Area;

typedef struct {
    Box box;
    int32_t area, rim, on_border, seeds, border_seeds;
    int64_t mass, drop;
    int has_square;
} Component;

static Area area_of(const Look *look, const uint8_t *plane, const Box *part, int32_t threshold, int32_t noise) {
    Area area;
    area.look = look;
    area.first = part->top * look->width + part->left;
    area.ink = plane + area.first;
    area.width = part->right - part->left;
    area.height = part->bottom - part->top;
    area.threshold = threshold;
    area.noise = noise;
    area.is_measured = area.may_be_solid = area.is_square_sought = 0;
    area.seeds = 0;
    return area;
}

static int is_ink(const Area *area, int32_t y, int32_t x) {
    return area->ink[y * area->look->width + x] > area->threshold;
}

static int32_t place_of(const Area *area, int32_t y, int32_t x) { return area->first + y * area->look->width + x; }

static int32_t rim_width(int32_t width, int32_t height) { return most(2, (2 * most(width, height) + 50) / 100); }

static int32_t solid_side(const Area *area) { return most(3, (30 * most(area->width, area->height) + 50) / 100) | 1; }

/* The least ink in the square around a pixel, and its column. */
typedef struct {
    int32_t x, ink, column;
} Least;

/* Find the least ink within `reach` to each side, or one that is at most `enough`. Where `found` is that of the pixel to
 * the left and lies in this square as well, one column is new. */
static int32_t least_around(const Area *area, int32_t y, int32_t x, int32_t reach, int32_t enough, Least *found) {
    int32_t top = most(y - reach, 0), bottom = least(y + reach, area->height - 1), first = most(x - reach, 0), i, j;
    int32_t stride = area->look->width;
    if (found->x == x - 1 && found->column >= first) first = x + reach;
    else found->ink = 256;
    found->x = x;
    for (j = least(x + reach, area->width - 1); j >= first && found->ink > enough; j--) {
        const uint8_t *ink = area->ink + top * stride + j;
        for (i = top; i <= bottom; i++, ink += stride)
            if (*ink < found->ink) {
                found->ink = *ink;
                found->column = j;
                if (found->ink <= enough) break;
            }
    }
    return found->ink;
}

/* Whether ink fills 19 of 20 parts of the square around a pixel. */
static int is_filled(const Area *area, int32_t y, int32_t x) {
    int32_t side = solid_side(area), reach = side / 2, missing = 0, i, j;
    int32_t first = most(x - reach, 0), last = least(x + reach, area->width - 1);
    for (i = y - reach; i <= y + reach; i++) {
        const uint8_t *inks = area->ink + most(i, 0) * area->look->width;
        missing += side;
        if (i >= 0 && i < area->height)
            for (j = first; j <= last; j++) missing -= inks[j] > area->threshold;
        if (20 * missing > side * side) return 0;
    }
    return 1;
}

static void add_run(const Area *area, int32_t y, int32_t start, int32_t end, uint8_t *mask, Component *found) {
    const uint8_t *inks = area->ink + y * area->look->width;
    int32_t x, rim = rim_width(area->width, area->height);
    Least near = {-2, 0, 0}, far = {-2, 0, 0};
    int is_edge_row = y == 0 || y == area->height - 1;
    found->box.top = least(found->box.top, y);
    found->box.bottom = most(found->box.bottom, y + 1);
    found->box.left = least(found->box.left, start);
    found->box.right = most(found->box.right, end);
    found->area += end - start;
    found->on_border += (start == 0) + (end == area->width) + (is_edge_row ? end - start : 0);
    for (x = start; x < end; x++) {
        int32_t ink = inks[x], place = place_of(area, y, x);
        set(mask, place);
        found->mass += ink;
        if (area->seeds && has(area->seeds, place)) {
            found->seeds++;
            found->border_seeds += is_edge_row || x == 0 || x == area->width - 1;
        }
        if (area->is_measured && least_around(area, y, x, 2, area->threshold, &near) <= area->threshold) {
            found->rim++;
            found->drop += ink - least_around(area, y, x, rim, 0, &far) - area->noise;
        }
        if (area->is_square_sought && !found->has_square) found->has_square = is_filled(area, y, x);
    }
}

static int is_touched(const Area *area, int32_t y, int32_t start, int32_t end, const uint8_t *mask) {
    int32_t x;
    if (y < 0 || y >= area->height) return 0;
    for (x = most(start - 1, 0); x <= end && x < area->width; x++)
        if (has(mask, place_of(area, y, x))) return 1;
    return 0;
}

/* Add the runs of a row that touch what is in the mask in the rows above and below; return whether there were any. */
static int spread(const Area *area, int32_t y, uint8_t *mask, Component *found) {
    const uint8_t *inks;
    int32_t x = most(found->box.left - 1, 0), start;
    int is_more = 0;
    if (y < 0 || y >= area->height) return 0;
    inks = area->ink + y * area->look->width;
    while (x > 0 && inks[x] > area->threshold && inks[x - 1] > area->threshold) x--;
    for (; x < area->width && x <= found->box.right; x++) {
        if (inks[x] <= area->threshold) continue;
        start = x;
        while (x < area->width && inks[x] > area->threshold) x++;
        if (!has(mask, place_of(area, y, start))
            && (is_touched(area, y - 1, start, x, mask) || is_touched(area, y + 1, start, x, mask))) {
            add_run(area, y, start, x, mask, found);
            is_more = 1;
        }
    }
    return is_more;
}

/* Trace a component from the first pixel of one of its runs: sweep over its rows, down and up in turns. */
static void trace(const Area *area, int32_t y, int32_t x, uint8_t *mask, Component *found) {
    int32_t end = x, row;
    int is_more = 1, is_down = 1;
    found->box.top = y;
    found->box.left = x;
    found->box.bottom = found->box.right = 0;
    found->area = found->rim = found->on_border = found->seeds = found->border_seeds = 0;
    found->mass = found->drop = 0;
    found->has_square = 0;
    while (end < area->width && is_ink(area, y, end)) end++;
    add_run(area, y, x, end, mask, found);
    for (; is_more; is_down = !is_down) {
        is_more = 0;
        if (is_down)
            for (row = found->box.top - 1; row <= found->box.bottom; row++) is_more |= spread(area, row, mask, found);
        else
            for (row = found->box.bottom; row >= found->box.top - 1; row--) is_more |= spread(area, row, mask, found);
    }
}

/* Trace the next component in the order of first pixels, from *place on, which is 0 for the first. */
static int next_component(const Area *area, int32_t *place, Component *found) {
    int32_t y, x;
    if (*place == 0) clear(area->look->visited, area->look);
    x = *place % area->width;
    for (y = *place / area->width; y < area->height; y++, x = 0) {
        const uint8_t *inks = area->ink + y * area->look->width;
        for (; x < area->width; x++)
            if (inks[x] > area->threshold && !has(area->look->visited, place_of(area, y, x))) {
                trace(area, y, x, area->look->visited, found);
                *place = y * area->width + x + 1;
                return 1;
            }
    }
    return 0;
}

/* Trace the component of a place again, into another mask. */
static void mark(const Area *area, int32_t place, uint8_t *mask) {
    Area plain = *area;
    Component again;
    plain.is_measured = 0;
    trace(&plain, place / area->width, place % area->width, mask, &again);
}

/* Whether the component of a place has a pixel in the middle of a square that ink fills. */
static int is_solid(const Area *area, int32_t place) {
    Area plain = *area;
    Component again;
    plain.is_measured = 0;
    plain.is_square_sought = 1;
    clear(area->look->scratch, area->look);
    trace(&plain, place / area->width, place % area->width, area->look->scratch, &again);
    return again.has_square;
}

static int32_t extent(const Box *box) { return most(box->bottom - box->top, box->right - box->left); }

static int is_inner(const Component *one) { return 2 * one->on_border < extent(&one->box); }

/* Whether a component is as large as the square that tells a shadow from a stroke. */
static int is_large(const Area *area, const Component *one) {
    int32_t side = solid_side(area), high = one->box.bottom - one->box.top, wide = one->box.right - one->box.left;
    return 20 * one->area >= 19 * side * side && 20 * least(high, wide) >= 19 * side;
}

/* Whether any component is large. */
static int is_any_large(const Area *area) {
    Look look = *area->look; /* the mask of visited pixels is in use */
    Area plain = *area;
    Component one;
    int32_t place = 0;
    look.visited = look.scratch;
    plain.look = &look;
    plain.is_measured = 0;
    while (next_component(&plain, &place, &one))
        if (is_large(&plain, &one)) return 1;
    return 0;
}

/* The sharpness of the edges of the component of a place, 0 to 256; 0 for what cannot be a stroke. */
static int32_t sharpness(Area *area, const Component *one, int32_t place) {
    int32_t high = one->box.bottom - one->box.top, wide = one->box.right - one->box.left, border = 10 * one->on_border;
    int64_t whole = one->rim * one->mass, found;
    if (one->drop <= 0) return 0;
    found = one->drop * one->area * 256 / (whole > 1 ? whole : 1);
    if (found > 256) found = 256;
    if (found < 90) return 0;
    if (4 * high < area->height && 10 * wide >= 9 * area->width && border >= 9 * wide) return 0;
    if (4 * wide < area->width && 10 * high >= 9 * area->height && border >= 9 * high) return 0;
    if (border >= 9 * (high + wide) && 4 * one->area >= high * wide) return 0;
    if (border >= 9 * (area->height + area->width)) return 0;
    if (is_inner(one) && found >= 179) return (int32_t)found;
    if (area->may_be_solid < 0) area->may_be_solid = is_any_large(area);
    if (area->may_be_solid && is_solid(area, place)) return 0;
    return (int32_t)found;
}

/* Whether a sharp component away from the border is as large as a digit: then nothing on the border is one. */
static int is_digit_inside(const Area *area, const Component *one, int32_t sharp) {
    return sharp && is_inner(one) && 10 * extent(&one->box) >= most(area->width, area->height);
}

/* Whether a component belongs to the digit around the heaviest one. */
static int is_part_of(const Box *one, const Box *heaviest) {
    int32_t whole = extent(heaviest);
    int32_t vertical = most(heaviest->top - one->bottom, one->top - heaviest->bottom);
    int32_t horizontal = most(heaviest->left - one->right, one->left - heaviest->right);
    int32_t gap = 100 * most(vertical, horizontal);
    return (100 * extent(one) >= 12 * whole && gap <= 40 * whole) || gap <= 5 * whole;
}

static void join(Box *box, const Box *other) {
    box->top = least(box->top, other->top);
    box->left = least(box->left, other->left);
    box->bottom = most(box->bottom, other->bottom);
    box->right = most(box->right, other->right);
}

/* ---- The digit among the components ---- */

static Box whole_of(const Look *look) {
    Box box;
    box.top = box.left = 0;
    box.bottom = look->height;
    box.right = look->width;
    return box;
}

static const Box NOWHERE = {INT32_MAX, INT32_MAX, 0, 0};

/* Find the digit above a threshold, and mark it in `mask` if that is given; 0: there is none, or more runs of pixels
 * than strokes have. */
static int strokes_above(const Look *look, const Map *map, int32_t threshold, Strokes *strokes, uint8_t *mask) {
    Box whole = whole_of(look), heaviest[2], all = NOWHERE;
    Area area = area_of(look, look->ink, &whole, threshold, map->noise);
    Component one;
    int64_t weight[2] = {-1, -1}, chosen_weight = 0, chosen_mass = 0, large_mass = 0;
    int32_t place, y, x, changes = 0, inked = 0, number = 0, side = solid_side(&area);
    uint8_t *sharps = look->spare; /* of each component: of 2 x 2 pixels there is one at most */
    int is_inside = 0, is_any = 0;
    for (y = 0; y < look->height; y++) {
        const uint8_t *inks = look->ink + y * look->width;
        for (x = 0; x < look->width;) {
            while (x < look->width && inks[x] <= threshold) x++;
            changes += x > 0 && x < look->width;
            inked -= x;
            while (x < look->width && inks[x] > threshold) x++;
            inked += x;
            changes += x < look->width;
        }
    }
    if (changes > 2 * most(1500, look->width * look->height / 40) || inked == 0) return 0;
    area.may_be_solid = 20 * inked >= 19 * side * side ? -1 : 0;
    area.is_measured = 1;
    for (place = 0; next_component(&area, &place, &one); number++) {
        int32_t sharp = sharpness(&area, &one, place - 1), i;
        sharps[number] = (uint8_t)(sharp > 0 ? sharp - 1 : 0); /* 0, or 90 to 256 */
        is_inside |= is_digit_inside(&area, &one, sharp);
        for (i = 0; i < 2; i++) { /* 0: all count, 1: only inner ones */
            int64_t found = i && !is_inner(&one) ? 0 : one.mass * sharp;
            if (found > weight[i]) {
                weight[i] = found;
                heaviest[i] = one.box;
            }
        }
    }
    strokes->box = NOWHERE;
    if (mask) clear(mask, look);
    area.is_measured = 0;
    number = 0;
    for (place = 0; next_component(&area, &place, &one); number++) {
        int32_t sharp = !sharps[number] || (is_inside && !is_inner(&one)) ? 0 : sharps[number] + 1;
        join(&all, &one.box);
        if (100 * extent(&one.box) >= 12 * extent(&heaviest[is_inside])) large_mass += one.mass;
        if (!sharp || !is_part_of(&one.box, &heaviest[is_inside])) continue;
        is_any = 1;
        chosen_weight += one.mass * sharp;
        chosen_mass += one.mass;
        join(&strokes->box, &one.box);
        if (mask) mark(&area, place - 1, mask);
    }
    if (!is_any) {
        strokes->box = all;
        if (mask)
            for (place = 0; place < look->width * look->height; place++)
                if (look->ink[place] > threshold) set(mask, place);
    }
    strokes->threshold = threshold;
    strokes->score = (int32_t)(chosen_weight / (large_mass > 1 ? large_mass : 1));
    strokes->mass = chosen_mass * 255 / map->full;
    return 1;
}

static int is_on_border(const Look *look, const Box *box) {
    return box->top == 0 || box->left == 0 || box->bottom == look->height || box->right == look->width;
}

/* Keep the sharper strokes: not mere remains of good ones, out of focus, unless those may be a shadow at the border. */
static void keep_better(const Look *look, Strokes *best, const Strokes *found) {
    if (best->times) {
        if (found->score <= best->score) return;
        if (found->score < SURE && best->score >= FAIR && 5 * found->mass < 3 * best->mass
            && !is_on_border(look, &best->box)) return;
    }
    *best = *found;
}

/* Find the strokes under the best hypothesis; best->times stays 0 where nothing stands out. */
static void find_strokes(const Look *look, int32_t times, Strokes *best) {
    int32_t sure = most(look->width, look->height) >= 40 ? SURE : FAIR, hypothesis, half;
    Strokes found;
    Map maps[HYPOTHESES];
    best->times = 0;
    found.times = times;
    for (hypothesis = 0; hypothesis < HYPOTHESES; hypothesis++) {
        maps[hypothesis].threshold = NONE;
        maps[hypothesis].polarity = -1;
    }
    for (half = 0; half < 2; half++) { /* a hairline falls to pieces at the whole threshold */
        if (half && best->times && best->score >= 180) return;
        for (hypothesis = 0; hypothesis < HYPOTHESES; hypothesis++) {
            Map *map = maps + hypothesis;
            int is_found;
            if (half && (map->threshold == NONE || map->threshold >> 1 < most(map->full / 25, map->noise))) continue;
            is_found = map_ink(look, hypothesis, map);
            if (is_found < 0) break;
            if (!is_found || map->threshold == NONE) continue;
            found.hypothesis = hypothesis;
            if (!strokes_above(look, map, map->threshold >> half, &found, 0)) continue;
            found.map = *map;
            keep_better(look, best, &found);
            if (best->score >= sure) return;
        }
    }
}

/* ---- Ruled lines ---- */

/* Runs of ink across the lines that are looked for: along columns for horizontal lines, along rows for vertical ones. */
typedef struct {
    const uint8_t *ink;
    int32_t along, across;                  /* steps to the next pixel of a run, and to the next column of runs */
    int32_t length, columns, threshold, thickest;
    int32_t slope, lowest;                  /* of the lines; the least place of a run under it */
    int32_t column, from, to;               /* the run */
    int32_t bin, reach;                     /* only runs whose bin is so near; reach < 0 for all */
    int32_t thickness;                      /* only runs of at most half of this */
} Runs;

static int32_t floor_divided(int32_t value, int32_t divisor) {
    return value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
}

static int32_t middle_of(const Runs *runs) { return (runs->from + runs->to) >> 1; }

static int32_t upright(const Runs *runs) {
    return middle_of(runs) - floor_divided(runs->slope * (runs->column - runs->columns / 2), 200) - runs->lowest;
}

static void rewind_runs(Runs *runs, int32_t column) {
    runs->column = column;
    runs->to = 0;
}

/* Go on to the next thin run before the column `end`. */
static int next_run(Runs *runs, int32_t end) {
    for (; runs->column < end; rewind_runs(runs, runs->column + 1)) {
        const uint8_t *ink = runs->ink + runs->column * runs->across;
        int32_t place = runs->to;
        while (place < runs->length) {
            if (ink[place * runs->along] <= runs->threshold) {
                place++;
                continue;
            }
            runs->from = place;
            while (place < runs->length && ink[place * runs->along] > runs->threshold) place++;
            runs->to = place;
            if (runs->to - runs->from > runs->thickest || 2 * (runs->to - runs->from) > runs->thickness) continue;
            if (runs->reach >= 0) {
                int32_t off = upright(runs) / (2 * runs->thickest) - runs->bin;
                if (off > runs->reach || off < -runs->reach) continue;
            }
            return 1;
        }
    }
    return 0;
}

/* Twice the median of the counted values; of an even number of them, the sum of the two in the middle. */
static int32_t twice_median(const uint16_t *counts, int32_t number) {
    int32_t low = (number - 1) / 2, high = number / 2, below = 0, value = 0, first = -1;
    for (;; value++) {
        below += counts[value];
        if (first < 0 && below > low) first = value;
        if (below > high) return first + value;
    }
}

/* The line through the runs of this and the two next parts of the width to each side: doubled medians of both halves. */
typedef struct {
    int32_t x1, y1, x2, y2;
} Line;

static Line line_at(Runs *runs, int32_t start, int32_t end) {
    uint16_t counts[@upper@_PREPARE_LONGER + 1];
    int32_t number = 0, half, i, side;
    Line line;
    rewind_runs(runs, start);
    while (next_run(runs, end)) number++;
    for (side = 0; side < 2; side++) {
        int32_t first = side ? number / 2 : 0, last = side ? number : most(number / 2, 1), columns = 0, index = 0;
        half = last - first;
        for (i = 0; i <= runs->length; i++) counts[i] = 0;
        rewind_runs(runs, start);
        while (next_run(runs, end)) {
            if (index >= first && index < last) {
                counts[middle_of(runs)]++;
                if (index == first + (half - 1) / 2) columns += runs->column;
                if (index == first + half / 2) columns += runs->column;
            }
            index++;
        }
        if (side) {
            line.x2 = columns;
            line.y2 = twice_median(counts, half);
        } else {
            line.x1 = columns;
            line.y1 = twice_median(counts, half);
        }
    }
    return line;
}

/* Go on to the next run that follows its line; *part and *line are those of the last run, *part -1 before the first. */
static int next_of_line(Runs *runs, int32_t *part, Line *line) {
    while (next_run(runs, runs->columns)) {
        int32_t here = 16 * runs->column / runs->columns, across, off;
        if (here != *part) {
            Runs around = *runs;
            /* columns of parts here - 2 to here + 2 */
            int32_t start = most(0, (most(here - 2, 0) * runs->columns + 15) / 16);
            int32_t end = least(runs->columns, ((here + 3) * runs->columns + 15) / 16);
            *line = line_at(&around, start, end);
            *part = here;
        }
        across = most(line->x2 - line->x1, 2);
        off = (2 * middle_of(runs) - line->y1) * across - (line->y2 - line->y1) * (2 * runs->column - line->x1);
        if (off <= 2 * runs->thickest * across && -off <= 2 * runs->thickest * across) return 1;
    }
    return 0;
}

/* Mark the lines across the runs; return whether there are any. */
static int mark_lines(Runs *runs, uint8_t *mask) {
    uint16_t bins[(@upper@_PREPARE_LONGER + 2 * 33) / 2];
    int32_t number = 0, slope, best = 0, best_lowest = 0, bin, place, i;
    int64_t gathered, best_gathered = -1;
    int is_any = 0;
    runs->reach = -1;
    runs->thickness = 2 * runs->thickest;
    for (rewind_runs(runs, 0); next_run(runs, runs->columns);) number++;
    if (2 * number < runs->columns) return 0;
    for (slope = -20; slope <= 20; slope++) {
        int32_t lowest = INT32_MAX;
        runs->slope = slope;
        runs->lowest = 0;
        for (rewind_runs(runs, 0); next_run(runs, runs->columns);) lowest = least(lowest, upright(runs));
        runs->lowest = lowest;
        for (i = 0; i < (int32_t)(sizeof bins / sizeof bins[0]); i++) bins[i] = 0;
        for (rewind_runs(runs, 0); next_run(runs, runs->columns);) bins[upright(runs) / (2 * runs->thickest)]++;
        for (gathered = 0, i = 0; i < (int32_t)(sizeof bins / sizeof bins[0]); i++) gathered += (int64_t)bins[i] * bins[i];
        if (gathered > best_gathered) {
            best_gathered = gathered;
            best = slope;
            best_lowest = lowest;
        }
    }
    runs->slope = best;
    runs->lowest = best_lowest;
    for (i = 0; i < (int32_t)(sizeof bins / sizeof bins[0]); i++) bins[i] = 0;
    for (rewind_runs(runs, 0); next_run(runs, runs->columns);) bins[upright(runs) / (2 * runs->thickest)]++;
    for (bin = 0; bin < (int32_t)(sizeof bins / sizeof bins[0]); bin++) {
        uint16_t thick[16] = {0};
        int32_t covered = 0, last = -1, part = -1, near = 0;
        Line line = {0, 0, 0, 0};
        if (4 * bins[bin] < runs->columns) continue;
        runs->bin = bin;
        runs->reach = 1;
        runs->thickness = 2 * runs->thickest;
        for (rewind_runs(runs, 0); next_run(runs, runs->columns); near++) thick[runs->to - runs->from]++;
        runs->thickness = twice_median(thick, near) + 2;
        for (rewind_runs(runs, 0); next_of_line(runs, &part, &line);) {
            covered += runs->column != last;
            last = runs->column;
        }
        if (2 * covered < runs->columns) continue;
        is_any = 1;
        part = -1;
        for (rewind_runs(runs, 0); next_of_line(runs, &part, &line);)
            for (place = runs->from; place < runs->to; place++)
                set(mask, place * runs->along + runs->column * runs->across);
    }
    return is_any;
}

/* Erase ruled lines from the ink; return whether there are any. Vertical ones only on paper with horizontal ones. */
static int erase_lines(const Look *look, int32_t threshold) {
    int32_t place;
    Runs runs;
    runs.ink = look->ink;
    runs.threshold = threshold;
    runs.thickest = most(look->width, look->height) / 40;
    runs.along = look->width;
    runs.across = 1;
    runs.length = look->height;
    runs.columns = look->width;
    runs.slope = runs.lowest = runs.bin = 0;
    clear(look->grown, look);
    if (!runs.thickest || !mark_lines(&runs, look->grown)) return 0;
    runs.along = 1;
    runs.across = look->width;
    runs.length = look->width;
    runs.columns = look->height;
    mark_lines(&runs, look->grown);
    for (place = 0; place < look->width * look->height; place++)
        if (has(look->grown, place)) look->ink[place] = 0;
    return 1;
}

/* Mark the strokes, without ruled lines behind them that they hang together with. */
static void mark_strokes(const Look *look, Strokes *strokes, Map *map) {
    const Box *box = &strokes->box;
    int32_t high = look->height / 24, wide = look->width / 24;
    Strokes left;
    *map = strokes->map;
    map_ink(look, strokes->hypothesis, map);
    if ((box->left == 0 && box->right == look->width) || (box->top == 0 && box->bottom == look->height)) {
        if (erase_lines(look, most(strokes->threshold / 4, map->noise * 5 / 4))) {
            left = *strokes;
            if (strokes_above(look, map, strokes->threshold, &left, look->strokes) && left.score >= strokes->score
                && 100 * extent(&left.box) >= 12 * extent(&strokes->box)
                && left.box.top >= high && left.box.bottom <= look->height - high
                && left.box.left >= wide && left.box.right <= look->width - wide) {
                *strokes = left;
                return;
            }
            map_ink(look, strokes->hypothesis, map);
        }
    }
    strokes_above(look, map, strokes->threshold, strokes, look->strokes);
}

/* ---- Fainter ends and growth ---- */

static Box around(const Look *look, const Box *box, int32_t margin) {
    Box part;
    part.top = most(0, box->top - margin);
    part.left = most(0, box->left - margin);
    part.bottom = least(look->height, box->bottom + margin);
    part.right = least(look->width, box->right + margin);
    return part;
}

/* Whether a mask has a pixel within `reach` to each side, inside of a part. */
static int is_near(const Look *look, const uint8_t *mask, const Box *part, int32_t y, int32_t x, int32_t reach) {
    int32_t i, j, bottom = least(y + reach, part->bottom - 1), right = least(x + reach, part->right - 1);
    for (i = most(y - reach, part->top); i <= bottom; i++)
        for (j = most(x - reach, part->left); j <= right; j++)
            if (has(mask, i * look->width + j)) return 1;
    return 0;
}

/* Keep the ink near the strokes, and mark what of it is strokes by a lower threshold; return 0 for mere specks. */
static int mark_fainter_ends(const Look *look, const Map *map, const Strokes *strokes, const Box *part) {
    uint32_t counts[256];
    int32_t rim = rim_width(look->width, look->height), place, y, x;
    int64_t heaviest_mass = -1;
    Box heaviest = NOWHERE;
    Component one;
    Area area;
    count_nothing(counts);
    for (y = part->top; y < part->bottom; y++)
        for (x = part->left; x < part->right; x++) {
            place = y * look->width + x;
            look->near_ink[place] = (uint8_t)has(look->strokes, place);
        }
    filter(look->near_ink + part->top * look->width + part->left, look->width, part->right - part->left,
           part->bottom - part->top, rim, 0);
    for (y = part->top; y < part->bottom; y++)
        for (x = part->left; x < part->right; x++) {
            place = y * look->width + x;
            if (look->near_ink[place]) look->near_ink[place] = look->ink[place];
            counts[look->near_ink[place]]++;
        }
    area = area_of(look, look->near_ink, part, least(otsu(counts, most(map->full / 25, map->noise)) * 3 / 5,
                                                     strokes->threshold), 0);
    for (place = 0; next_component(&area, &place, &one);)
        if (one.mass > heaviest_mass) {
            heaviest_mass = one.mass;
            heaviest = one.box;
        }
    if (heaviest_mass < 3 * map->full) return 0;
    clear(look->strokes, look);
    for (place = 0; next_component(&area, &place, &one);)
        if (is_part_of(&one.box, &heaviest)) mark(&area, place - 1, look->strokes);
    return 1;
}

static int may_grow(const Area *area, const Component *one, int32_t times) {
    int leaves = one->box.top == 0 || one->box.left == 0 || one->box.bottom == area->height
                 || one->box.right == area->width;
    return one->seeds && 2 * (int64_t)one->area <= times * (int64_t)one->seeds && (!leaves || one->border_seeds);
}

/* Grow the strokes into all fainter ink that hangs together with them and ends as sharply. */
static void grow(const Look *look, const Map *map, const Box *part, int32_t level) {
    int32_t times = map->noise > map->full / 100 ? 5 : 10, place, y, x;
    Area area = area_of(look, look->ink, part, most(level / 4, map->noise * 5 / 4), map->noise);
    int is_any = 0, is_inside = 0;
    Component one;
    area.seeds = look->strokes;
    for (place = 0; next_component(&area, &place, &one);) {
        is_any |= one.seeds && 2 * (int64_t)one.area <= times * (int64_t)one.seeds && one.area > one.seeds;
    }
    if (!is_any) return;
    area.is_measured = 1;
    area.may_be_solid = -1;
    for (place = 0; next_component(&area, &place, &one);)
        is_inside |= is_digit_inside(&area, &one, sharpness(&area, &one, place - 1));
    clear(look->grown, look);
    for (place = 0; next_component(&area, &place, &one);)
        if (may_grow(&area, &one, times) && (!is_inside || is_inner(&one)) && sharpness(&area, &one, place - 1))
            mark(&area, place - 1, look->grown);
    for (y = part->top; y < part->bottom; y++)
        for (x = part->left; x < part->right; x++) {
            place = y * look->width + x;
            if (!has(look->grown, place)) continue;
            set(look->strokes, place);
            look->near_ink[place] = look->ink[place];
        }
}

/* Write the strength of the strokes' ink over the ink; return its box, in which it is above 0 at each side. */
static Box write_strength(const Look *look, const Map *map, const Box *part) {
    uint32_t counts[256], number = 0;
    int32_t y, x, level;
    Box box = NOWHERE;
    count_nothing(counts);
    for (y = part->top; y < part->bottom; y++)
        for (x = part->left; x < part->right; x++)
            if (has(look->strokes, y * look->width + x)) {
                counts[look->near_ink[y * look->width + x]]++;
                number++;
            }
    level = ranked(counts, number / 2);
    grow(look, map, part, level);
    for (y = part->top; y < part->bottom; y++)
        for (x = part->left; x < part->right; x++) {
            int32_t place = y * look->width + x, strength = least(look->near_ink[place] * 255 / level, 255);
            if (strength < 51 || !is_near(look, look->strokes, part, y, x, 1)) strength = 0;
            look->ink[place] = (uint8_t)strength;
            if (strength) {
                Box pixel;
                pixel.top = y;
                pixel.left = x;
                pixel.bottom = y + 1;
                pixel.right = x + 1;
                join(&box, &pixel);
            }
        }
    return box;
}

/* ---- Stroke width ---- */

typedef struct {
    uint8_t *pixels;
    int32_t stride, width, height;
} Plane;

/* The mean width of strokes in sixteenths of a pixel: twice the area by the length of the outline. */
static int32_t mean_width(const Plane *digit) {
    int32_t y, x, half = 0, area = 0, steps = 0;
    for (y = 0; y < digit->height; y++)
        for (x = 0; x < digit->width; x++) half = most(half, digit->pixels[y * digit->stride + x]);
    half = (half + 1) / 2;
    for (y = 0; y <= digit->height; y++)
        for (x = 0; x <= digit->width; x++) {
            const uint8_t *here = digit->pixels + y * digit->stride + x;
            int is_here = y < digit->height && x < digit->width && *here >= half;
            int is_above = y > 0 && x < digit->width && here[-digit->stride] >= half;
            int is_left = x > 0 && y < digit->height && here[-1] >= half;
            area += is_here;
            steps += (is_here != is_above) + (is_here != is_left);
        }
    return (int32_t)((int64_t)64 * area * 226 / ((int64_t)355 * most(steps, 1)));
}

/* Replace each pixel by the greatest of it and its neighbours, four or eight, weighed by sixteenths. */
static void widen(Plane *page, int has_eight, int32_t sixteenths) {
    uint8_t rows[2][@upper@_PREPARE_LONGER + 40]; /* the row above and this one, as they were */
    int32_t y, x;
    for (y = 0; y < page->height; y++) {
        uint8_t *row = page->pixels + y * page->stride, *above = rows[y & 1], *here = rows[1 - (y & 1)];
        const uint8_t *below = row + page->stride;
        for (x = 0; x < page->width; x++) here[x] = row[x];
        for (x = 0; x < page->width; x++) {
            int32_t found = here[x], i;
            for (i = most(x - 1, 0); i <= x + 1 && i < page->width; i++) {
                found = most(found, here[i]);
                if (i != x && !has_eight) continue;
                if (y > 0) found = most(found, above[i]);
                if (y < page->height - 1) found = most(found, below[i]);
            }
            row[x] = (uint8_t)most(here[x], found * sixteenths / 16);
        }
    }
}

/* Widen strokes that would fade in a box of 20 pixels; `page` is memory for it. */
static Plane with_stroke_width(Plane digit, uint8_t *page) {
    int32_t longest = most(digit.width, digit.height), times, radius, margin, y, x, i;
    Plane wide;
    if (40 * mean_width(&digit) >= 48 * longest) return digit;
    times = most(1, (80 + longest / 2) / longest);
    /* The width of enlarged strokes: area by times squared, outline by times. */
    wide.pixels = page;
    wide.width = digit.width * times;
    wide.height = digit.height * times;
    wide.stride = wide.width;
    for (y = 0; y < wide.height; y++)
        for (x = 0; x < wide.width; x++)
            page[y * wide.stride + x] = digit.pixels[y / times * digit.stride + x / times];
    radius = 16 * times * longest * 11 / 100 - mean_width(&wide);
    if (radius < 16) return wide;
    radius /= 2;
    margin = radius / 16 + (radius % 16 > 0);
    wide.width += 2 * margin;
    wide.height += 2 * margin;
    wide.stride = wide.width;
    for (y = 0; y < wide.height; y++)
        for (x = 0; x < wide.width; x++) {
            int32_t row = y - margin, column = x - margin;
            int is_inside = row >= 0 && column >= 0 && row < digit.height * times && column < digit.width * times;
            page[y * wide.stride + x] =
                is_inside ? digit.pixels[row / times * digit.stride + column / times] : (uint8_t)0;
        }
    for (i = 0; i < radius / 16; i++) widen(&wide, i & 1, 16);
    if (radius % 16) widen(&wide, i & 1, radius % 16);
    return wide;
}

/* ---- Size and place ---- */

/* The weights of source pixels from *first on for one target pixel, in parts of 4,096; return how many. */
static int32_t weights_of(int32_t source, int32_t target, int32_t place, int32_t *first, uint16_t weights[48]) {
    int32_t shared[48], number = 0, sum = 0, pixel, i;
    *first = 0;
    for (pixel = 0; pixel < source; pixel++) {
        int32_t found;
        if (source >= target) {
            found = least((place + 1) * source, (pixel + 1) * target) - most(place * source, pixel * target);
        } else {
            int32_t off = 2 * target * pixel - ((2 * place + 1) * source - target);
            found = 2 * target - (off < 0 ? -off : off);
        }
        if (found <= 0) {
            if (number) break;
            continue;
        }
        if (!number) *first = pixel;
        shared[number++] = found;
        sum += found;
    }
    for (i = 0; i < number; i++) weights[i] = (uint16_t)((shared[i] * 8192 / sum + 1) >> 1);
    return number;
}

static int32_t box_side(int32_t side, int32_t longest) { return most(1, (40 * side + longest - 1) / (2 * longest)); }

/* The first row (or column) of a digit that puts its centre of mass in the middle. */
static int32_t offset_of(int64_t sum, int64_t moment, int32_t side) {
    return least(most((int32_t)((29 * sum - 2 * moment) / (2 * sum)), 0), IMAGE - side);
}

/* Write the image: the digit scaled into 20 x 20 pixels, and placed by its centre of mass. */
static void write_image(const Plane *digit, uint8_t image[784]) {
    uint16_t across[48], down[48];
    uint32_t small[20 * 20], greatest = 0;
    int32_t longest = most(digit->width, digit->height), height = box_side(digit->height, longest);
    int32_t width = box_side(digit->width, longest), y, x, i, j, left, top;
    int64_t sum = 0, moment_y = 0, moment_x = 0;
    for (x = 0; x < width; x++) {
        int32_t columns = weights_of(digit->width, width, x, &left, across);
        for (y = 0; y < height; y++) {
            int32_t rows = weights_of(digit->height, height, y, &top, down);
            uint32_t total = 0;
            for (j = 0; j < columns; j++) {
                const uint8_t *pixel = digit->pixels + top * digit->stride + left + j;
                uint32_t column = 0;
                for (i = 0; i < rows; i++) column += (uint32_t)down[i] * pixel[i * digit->stride];
                total += across[j] * (column >> 6);
            }
            small[y * width + x] = total >> 6;
            if (total >> 6 > greatest) greatest = total >> 6;
        }
    }
    for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) {
            uint32_t value = small[y * width + x] = (small[y * width + x] * 510 + greatest) / (2 * greatest);
            sum += value;
            moment_y += (int64_t)value * y;
            moment_x += (int64_t)value * x;
        }
    top = offset_of(sum, moment_y, height);
    left = offset_of(sum, moment_x, width);
    for (i = 0; i < IMAGE * IMAGE; i++) image[i] = 0;
    for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) image[(top + y) * IMAGE + left + x] = (uint8_t)small[y * width + x];
}

/* Whether a picture is in MNIST's form: light on dark, as large as its digits, and centred like them. */
static int is_mnist(const uint8_t *picture) {
    uint32_t counts[256];
    int32_t i, background, darkest = 255, lightest = 0, total = 0, rows = 0, columns = 0;
    Box box = NOWHERE;
    count_nothing(counts);
    for (i = 0; i < IMAGE * IMAGE; i++) {
        int32_t y = i / IMAGE, x = i % IMAGE;
        if (y == 0 || x == 0 || y == IMAGE - 1 || x == IMAGE - 1) counts[picture[i]]++;
        darkest = least(darkest, picture[i]);
        lightest = most(lightest, picture[i]);
    }
    background = ranked(counts, (4 * IMAGE - 4) / 2);
    if (lightest - background < most(background - darkest, CONTRAST)) return 0;
    for (i = 0; i < IMAGE * IMAGE; i++) {
        int32_t ink = picture[i] - background;
        Box pixel;
        if (ink <= 0 || 10 * ink < lightest - background) continue;
        pixel.top = i / IMAGE;
        pixel.left = i % IMAGE;
        pixel.bottom = pixel.top + 1;
        pixel.right = pixel.left + 1;
        join(&box, &pixel);
        total += ink;
        rows += pixel.top * ink;
        columns += pixel.left * ink;
    }
    rows = 2 * rows - (IMAGE - 1) * total;
    columns = 2 * columns - (IMAGE - 1) * total;
    return rows < 3 * total && -rows < 3 * total && columns < 3 * total && -columns < 3 * total
           && extent(&box) >= 17 && extent(&box) <= 22;
}

/* ---- The whole ---- */

/* Bytes of the lights that are kept, before a spare plane. */
static int32_t lights_size(int32_t width, int32_t height) {
    int32_t step = light_step(width, height);
    return (step > 1 ? HYPOTHESES - 2 : 1) * (width / step) * (height / step);
}

/* Bytes for the planes of a picture: the ink, behind it the ink near the strokes or a page of widened strokes; before
 * that a page for the light, and behind it, or behind the ink, the lights and the spare plane. */
static int32_t planes_size(int32_t width, int32_t height) {
    int32_t size = width * height, step = light_step(width, height), margin = most(width, height) * 11 / 200 + 2;
    int32_t spare = ((width + step - 1) / step) * ((height + step - 1) / step);
    int32_t light = most(page_size(width, height), size) + lights_size(width, height) + spare;
    int32_t wide = most((width + 2 * margin) * (height + 2 * margin), ENLARGED * ENLARGED);
    return most(light, size + wide);
}

static int32_t block_side(int32_t side, int32_t times) { return least(times, most(1, side / 3)); }

static int32_t all_planes_size(int32_t width, int32_t height) {
    int32_t size = planes_size(width, height), times;
    for (times = 2; times <= 4 && most(width, height) >= 60 * times; times++) {
        int32_t wide = width / block_side(width, times), high = height / block_side(height, times);
        size = most(size, planes_size(wide, high) + wide * high);
    }
    return size;
}

static int32_t mask_size(int32_t width, int32_t height) { return (width * height + 7) / 8; }

int32_t @name@_prepare_work(int32_t width, int32_t height) {
    if (width < 3 || height < 3 || most(width, height) > @upper@_PREPARE_LONGER
        || least(width, height) > @upper@_PREPARE_SHORTER) return 0;
    return all_planes_size(width, height) + 4 * mask_size(width, height);
}

/* Lay a picture whose blocks of about times x times pixels are looked at, and its planes, into the work buffer. */
static Look look_at(const uint8_t *picture, int32_t width, int32_t height, int32_t times, uint8_t *work) {
    int32_t high = block_side(height, times), wide = block_side(width, times), y, x, masks = mask_size(width, height);
    Look look;
    look.visited = work;
    look.strokes = work + masks;
    look.grown = work + 2 * masks;
    look.scratch = work + 3 * masks;
    look.ink = work + 4 * masks;
    look.picture = picture;
    look.width = width;
    look.height = height;
    if (times > 1) {
        uint8_t *blocks;
        look.width = width / wide;
        look.height = height / high;
        look.picture = blocks = look.ink + planes_size(look.width, look.height);
        for (y = 0; y < look.height; y++)
            for (x = 0; x < look.width; x++)
                blocks[y * look.width + x] = block_mean(picture + y * high * width + x * wide, width, high, wide);
    }
    look.near_ink = look.ink + look.width * look.height;
    look.lights = look.ink + most(page_size(look.width, look.height), look.width * look.height);
    look.spare = look.lights + lights_size(look.width, look.height);
    look.noise = noise_of(&look);
    return look;
}

/* Whether strokes in blocks may be what the dots, strokes in the picture itself, are a part of. */
static int are_dots(const Strokes *dots, const Strokes *strokes) {
    int32_t twice = 2 * strokes->times, y = dots->box.top + dots->box.bottom, x = dots->box.left + dots->box.right;
    return dots->score < 64 || (twice * strokes->box.top <= y && y <= twice * strokes->box.bottom
                                && twice * strokes->box.left <= x && x <= twice * strokes->box.right);
}

int @name@_prepare(const uint8_t *picture, int32_t width, int32_t height, uint8_t *work, uint8_t image[784]) {
    Strokes best, dots, found;
    int32_t times, looked = 1, margin;
    Look look;
    Map map;
    Box part;
    Plane digit;
    if (@name@_prepare_work(width, height) == 0) return @upper@_PREPARE_SIZE;
    if (width == IMAGE && height == IMAGE && is_mnist(picture)) {
        for (times = 0; times < IMAGE * IMAGE; times++) image[times] = picture[times];
        return @upper@_PREPARE_DONE;
    }
    look = look_at(picture, width, height, 1, work);
    find_strokes(&look, 1, &best);
    dots = best;
    for (times = 2; times <= 4 && most(width, height) >= 60 * times; times++) {
        if (best.times && best.score >= (best.times == 1 ? 160 : SURE)) break;
        look = look_at(picture, width, height, looked = times, work);
        find_strokes(&look, times, &found);
        if (!found.times || is_on_border(&look, &found.box) || (dots.times && !are_dots(&dots, &found))) continue;
        if (!best.times || found.score > best.score) best = found;
    }
    if (!best.times) return @upper@_PREPARE_BLANK;
    look = look_at(picture, width, height, best.times, work);
    if (looked != best.times) best.map.polarity = -1; /* the lights that were kept are others */
    mark_strokes(&look, &best, &map);
    margin = most(rim_width(look.width, look.height), extent(&best.box));
    part = around(&look, &best.box, margin);
    if (!mark_fainter_ends(&look, &map, &best, &part)) return @upper@_PREPARE_BLANK;
    part = write_strength(&look, &map, &part);
    if (part.bottom == 0) return @upper@_PREPARE_BLANK;
    digit.pixels = look.ink + part.top * look.width + part.left;
    digit.stride = look.width;
    digit.width = part.right - part.left;
    digit.height = part.bottom - part.top;
    digit = with_stroke_width(digit, look.near_ink);
    write_image(&digit, image);
    return @upper@_PREPARE_DONE;
}
