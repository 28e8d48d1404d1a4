/* Read PGM as the runtime for Python does: https://netpbm.sourceforge.net/doc/pgm.html . */
#include "program.h"

#include <ctype.h>

#define WHOLE_ENOUGH 9 /* tenths of the pixels that a file cut short must have; the others become white */

int is_size(long width, long height) {
    long longer = width > height ? width : height, shorter = width > height ? height : width;
    if (shorter < 3) {
        snprintf(problem, sizeof problem, "got %ld x %ld pixels, expected a picture of at least 3 x 3", width, height);
        return 0;
    }
    if (longer > LONGER || shorter > SHORTER) {
        snprintf(
            problem, sizeof problem, "got %ld x %ld pixels, this program takes at most %d x %d; make it smaller",
            width, height, LONGER, SHORTER
        );
        return 0;
    }
    return 1;
}

/* Read a number behind white space and comments; return -1 where there is none, -2 at the end. */
static long number(FILE *file) {
    long found = 0;
    int digits = 0, byte = getc(file);
    while (isspace(byte) || byte == '#') {
        if (byte == '#')
            while (byte != '\n' && byte != EOF) byte = getc(file);
        byte = byte == EOF ? EOF : getc(file);
    }
    if (byte == EOF) return -2;
    for (; isdigit(byte) && digits < 9; digits++, byte = getc(file)) found = 10 * found + byte - '0';
    if (byte != EOF && (digits == 0 || !(isspace(byte) || byte == '#'))) return -1;
    if (byte == '#') ungetc(byte, file);
    return found;
}

static int fail(const char *why) {
    snprintf(problem, sizeof problem, "%s", why);
    return 0;
}

int read_pgm(FILE *file, Picture *picture) {
    int kind = getc(file);
    long width = number(file), height = number(file), maximum = number(file), count, there;
    if ((kind != '2' && kind != '5') || width < 0 || height < 0 || maximum < 0) {
        return fail("the PGM header cannot be read");
    }
    if (!is_size(width, height)) return 0;
    if (maximum < 1 || maximum > 65535) return fail("the PGM's maximum is not between 1 and 65535");
    count = width * height;
    for (there = 0; there < count; there++) {
        long value;
        if (kind == '2') {
            value = number(file);
            if (value == -1 || value > 65535) return fail("the PGM is damaged");
            if (value < 0) break;
        } else {
            int high = maximum > 255 ? getc(file) : 0, low = getc(file);
            if (high == EOF || low == EOF) break;
            value = 256 * high + low;
        }
        if (value > maximum) return fail("the PGM is damaged: a pixel is above its maximum");
        picture->pixels[there] = (uint8_t)(((uint32_t)value * 255 + (uint32_t)maximum / 2) / (uint32_t)maximum);
    }
    if (there * 10 < count * WHOLE_ENOUGH) return fail("the PGM is cut short");
    for (; there < count; there++) picture->pixels[there] = 255;
    picture->width = (int)width;
    picture->height = (int)height;
    return 1;
}
