/* The parts of the program that mnist-edge bundle --engine c compiles with a network in C. */
#include <stdint.h>
#include <stdio.h>

#define LONGER 320      /* pixels of a picture's longer side, at most; the preprocessing's limits */
#define SHORTER 240
#define MOST_PIXELS (LONGER * SHORTER)
#define NAME_BYTES 4096 /* of a file's name, at most */
#define ID_BYTES 1024   /* of an id, at most */

/* A picture: dark on light or light on dark, 0 is black. */
typedef struct {
    int width, height;
    uint8_t pixels[MOST_PIXELS];
} Picture;

extern char problem[512]; /* what is wrong with a picture, after a function has returned 0 */

/* Return whether a picture of this size is taken; else say why not. */
int is_size(long width, long height);

/* Read a PGM, plain (P2) or raw (P5), whose first byte was read already; return 0 if that fails. */
int read_pgm(FILE *file, Picture *picture);

/* A line of JSON: an object with either the name of a file or pixels, and perhaps an id. */
typedef struct {
    int has_file, has_pixels;
    char file[NAME_BYTES];
    char id[ID_BYTES];  /* as it stands in the line; empty where there is none */
} Line;

/* Read a line; return -1 at the end, 0 if it is bad and was skipped, 1 if it was read, 2 if it was blank. */
int read_line(FILE *file, Line *line, Picture *picture);
