#include "words.h"

int main(void)
{
    char word[64];
    while (next_word(word, sizeof word))
        count_word(word);
    print_counts();
    return 0;
}
