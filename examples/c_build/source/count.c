#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

static struct entry {
    char word[64];
    int seen;
} *entries;
static int used, room;

int count_word(const char *word)
{
    for (int place = 0; place < used; place++)
        if (strcmp(entries[place].word, word) == 0)
            return ++entries[place].seen;
    if (used == room) {
        room = room ? 2 * room : 16;
        entries = realloc(entries, (size_t)room * sizeof *entries);
        if (entries == NULL)
            exit(1);
    }
    snprintf(entries[used].word, sizeof entries[used].word, "%s", word);
    entries[used++].seen = 1;
    return 1;
}

void print_counts(void)
{
    for (int place = 0; place < used; place++)
        printf("%s %d\n", entries[place].word, entries[place].seen);
}
