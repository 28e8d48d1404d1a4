/* Read lines of JSON as the runtime for Python takes them, byte by byte: no line is kept. */
#include "program.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT "{\"file\": \"a.pgm\"} or {\"pixels\": [[0, 255]]}, and perhaps an \"id\""
#define PIXELS "rows of equal length, or 784 in all, of whole numbers 0 to 255 or of numbers 0.0 to 1.0"

static FILE *input;
static int next;                        /* the byte that is looked at; '\n' or EOF behind the line */
static double values[MOST_PIXELS];

static void advance(void) {
    if (next != '\n' && next != EOF) next = getc(input);
}

static int fail(const char *why) {
    snprintf(problem, sizeof problem, "%s", why);
    return 0;
}

static int no_json(void) {
    return fail("no JSON; expected " OBJECT);
}

static void skip_space(void) {
    while (next == ' ' || next == '\t' || next == '\r') advance();
}

static int take(int byte) {
    skip_space();
    if (next != byte) return 0;
    advance();
    return 1;
}

enum { KEY = 16 }; /* bytes of a key; what a longer one has behind them makes it none of the known */

static int put(char *to, size_t size, size_t *length, unsigned byte) {
    if (*length + 1 >= size) return size == KEY || fail("a name or an id is too long");
    to[(*length)++] = (char)byte;
    to[*length] = 0;
    return 1;
}

static int hexadecimal(unsigned *found) {
    int i;
    *found = 0;
    for (i = 0; i < 4; i++, advance()) {
        if (!isxdigit(next)) return no_json();
        *found = *found * 16 + (unsigned)(isdigit(next) ? next - '0' : tolower(next) - 'a' + 10);
    }
    return 1;
}

static int put_code(char *to, size_t size, size_t *length, unsigned code) {
    if (code < 0x80) return put(to, size, length, code);
    if (code < 0x800) return put(to, size, length, 0xC0 | code >> 6) && put(to, size, length, 0x80 | (code & 63));
    if (code < 0x10000) {
        return put(to, size, length, 0xE0 | code >> 12) && put(to, size, length, 0x80 | (code >> 6 & 63))
            && put(to, size, length, 0x80 | (code & 63));
    }
    return put(to, size, length, 0xF0 | code >> 18) && put(to, size, length, 0x80 | (code >> 12 & 63))
        && put(to, size, length, 0x80 | (code >> 6 & 63)) && put(to, size, length, 0x80 | (code & 63));
}

/* Read a string; `as_it_stands` keeps quotes and escapes. */
static int string(char *to, size_t size, int as_it_stands) {
    static const char names[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
    size_t length = 0;
    to[0] = 0;
    if (!take('"')) return no_json();
    if (as_it_stands && !put(to, size, &length, '"')) return 0;
    while (next != '"') {
        if (next == '\n' || next == EOF || next < ' ') return no_json();
        if (next != '\\' || as_it_stands) {
            int is_escape = next == '\\', digits = 0;
            if (!put(to, size, &length, (unsigned)next)) return 0;
            advance();
            if (is_escape) {
                if (next == '\n' || next == EOF || (!strchr(names, next) && next != 'u')) return no_json();
                digits = next == 'u' ? 4 : 0;
                if (!put(to, size, &length, (unsigned)next)) return 0;
                advance();
            }
            for (; digits > 0; digits--, advance()) {
                if (!isxdigit(next)) return no_json();
                if (!put(to, size, &length, (unsigned)next)) return 0;
            }
            continue;
        }
        advance();
        if (next == 'u') {
            unsigned code, low;
            advance();
            if (!hexadecimal(&code)) return 0;
            if (code >= 0xD800 && code < 0xDC00) {
                if (next != '\\') return no_json();
                advance();
                if (next != 'u') return no_json();
                advance();
                if (!hexadecimal(&low) || low < 0xDC00 || low > 0xDFFF) return no_json();
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            }
            if (code == 0) return fail("file is no name of a file");
            if (!put_code(to, size, &length, code)) return 0;
        } else {
            const char *found = next > 0 && next < 128 ? strchr(names, next) : 0;
            if (!found) return no_json();
            if (!put(to, size, &length, (unsigned char)codes[found - names])) return 0;
            advance();
        }
    }
    advance();
    return !as_it_stands || put(to, size, &length, '"');
}

/* Read a number as text of at most 63 bytes; return 0 where it is none. */
static int number(char text[64]) {
    size_t length = 0;
    const char *at = text;
    skip_space();
    while (next != EOF && (isdigit(next) || strchr("+-.eE", next)) && next != 0) {
        if (length == 63) return 0;
        text[length++] = (char)next;
        advance();
    }
    text[length] = 0;
    at += *at == '-';
    if (!isdigit((unsigned char)*at) || (*at == '0' && isdigit((unsigned char)at[1]))) return 0;
    while (isdigit((unsigned char)*at)) at++;
    if (*at == '.') {
        if (!isdigit((unsigned char)*++at)) return 0;
        while (isdigit((unsigned char)*at)) at++;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        if (!isdigit((unsigned char)*at)) return 0;
        while (isdigit((unsigned char)*at)) at++;
    }
    return *at == 0;
}

static int no_pixels(void) {
    return fail("pixels are no " PIXELS);
}

/* Read the pixels of an object. */
static int pixels(Picture *picture) {
    long width = -1, height = 0, count = 0, column, i;
    double least = 0, most = 0;
    int is_nested, has_point = 0;
    char text[64];
    if (!take('[')) return no_pixels();
    skip_space();
    is_nested = next == '[';
    do {
        if (is_nested && !take('[')) return no_pixels();
        column = 0;
        do {
            if (count == MOST_PIXELS) return fail("more pixels than a picture of 320 x 240; make it smaller");
            if (!number(text)) return no_pixels();
            has_point |= strpbrk(text, ".eE") != 0;
            values[count] = strtod(text, 0);
            if (count == 0) least = most = values[0];
            if (values[count] < least) least = values[count];
            if (values[count] > most) most = values[count];
            count++;
            column++;
        } while (take(','));
        if (is_nested && !take(']')) return no_pixels();
        if (width >= 0 && column != width) return no_pixels();
        width = column;
        height++;
    } while (is_nested && take(','));
    if (!take(']')) return no_pixels();
    if (least < 0 || most > (has_point ? 1 : 255)) {
        snprintf(problem, sizeof problem, "pixels are from %g to %g, expected " PIXELS, least, most);
        return 0;
    }
    if (!is_nested) {
        if (count != 784) {
            snprintf(problem, sizeof problem, "got %ld pixels in one list, expected " PIXELS, count);
            return 0;
        }
        width = height = 28;
    }
    if (!has_point && most == 1) {
        return fail("pixels are 0 and 1 alone, so nothing says what is white; send 0 and 255, or 0.0 and 1.0");
    }
    if (!is_size(width, height)) return 0;
    for (i = 0; i < count; i++) picture->pixels[i] = (uint8_t)rint(has_point ? values[i] * 255 : values[i]);
    picture->width = (int)width;
    picture->height = (int)height;
    return 1;
}

static int skip_value(void) {
    char text[64];
    int depth = 0, byte;
    do {
        skip_space();
        byte = next;
        if (byte == '\n' || byte == EOF) return no_json();
        if (byte == '"') {
            for (advance(); next != '"'; advance()) {
                if (next == '\\') advance();
                if (next == '\n' || next == EOF) return no_json();
            }
            advance();
        } else if (byte == '[' || byte == '{') {
            depth++;
            advance();
        } else if (byte == ']' || byte == '}') {
            depth--;
            advance();
        } else if (byte == ',' || byte == ':') {
            if (!depth) return no_json();
            advance();
        } else if (isalpha(byte)) {
            char word[7] = "";
            size_t length = 0;
            for (; isalpha(next); advance()) {
                if (length < sizeof word - 1) word[length++] = (char)next;
            }
            if (strcmp(word, "true") && strcmp(word, "false") && strcmp(word, "null")) return no_json();
        } else if (!number(text)) {
            return no_json();
        }
    } while (depth > 0);
    return 1;
}

static int id(Line *line) {
    skip_space();
    if (next == 'n') return skip_value();
    if (next == '"') {
        if (string(line->id, sizeof line->id, 1)) return 1;
    } else if (number(line->id)) {
        return 1;
    } else {
        fail("the id is neither a string nor a number");
    }
    line->id[0] = 0; /* as far as it was read it is no JSON */
    return 0;
}

static int object(Line *line, Picture *picture) {
    char key[KEY];
    if (!take('{')) return fail("expected an object with either file or pixels: " OBJECT);
    if (!take('}')) {
        do {
            if (!string(key, sizeof key, 0)) return 0;
            if (!take(':')) return no_json();
            if (!strcmp(key, "id")) {
                if (!id(line)) return 0;
            } else if (!strcmp(key, "file")) {
                line->has_file = 1;
                skip_space();
                if (next != '"') return fail("file is no name of a file");
                if (!string(line->file, sizeof line->file, 0)) return 0;
                if (!line->file[0]) return fail("file is no name of a file");
            } else if (!strcmp(key, "pixels")) {
                line->has_pixels = 1;
                if (!pixels(picture)) return 0;
            } else if (!skip_value()) {
                return 0;
            }
        } while (take(','));
        if (!take('}')) return no_json();
    }
    skip_space();
    if (next != '\n' && next != EOF) return no_json();
    if (line->has_file == line->has_pixels) return fail("expected an object with either file or pixels: " OBJECT);
    return 1;
}

int read_line(FILE *file, Line *line, Picture *picture) {
    int is_good;
    input = file;
    line->has_file = line->has_pixels = 0;
    line->id[0] = 0;
    next = getc(input);
    if (next == EOF) return -1;
    skip_space();
    if (next == '\n' || next == EOF) return 2;
    is_good = object(line, picture);
    while (next != '\n' && next != EOF) next = getc(input);
    return is_good;
}
