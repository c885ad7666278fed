#ifndef WORDS_H
#define WORDS_H

/* Read the next word of a stream, in lower case; 0 at its end. */
int next_word(char *word, int size);

/* Count a word; return how often it has been seen. */
int count_word(const char *word);

/* Print every word and how often it was seen, in order of first sight. */
void print_counts(void);

#endif
