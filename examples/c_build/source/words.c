#include <ctype.h>
#include <stdio.h>

#include "words.h"

int next_word(char *word, int size)
{
    int letter, length = 0;
    while ((letter = getchar()) != EOF) {
        if (isalpha(letter)) {
            if (length < size - 1)
                word[length++] = (char)tolower(letter);
        } else if (length > 0) {
            break;
        }
    }
    word[length] = '\0';
    return length > 0;
}
