#include <stdio.h>

int
main(void)
{
    puts("timonel");
    return 0;
}
