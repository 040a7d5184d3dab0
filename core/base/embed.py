"""Writes text files into one C source: embed.py OUTPUT SYMBOL FOLDER FILE...

Defines `const EmbeddedFile SYMBOL[]` (core/base/embed.h) with each file under its path below FOLDER.
"""
import os
import sys


def literal(line):
    quoted = line.replace('\\', '\\\\').replace('"', '\\"').replace('\t', '\\t').replace('?', '\\?')
    return '"' + quoted + '\\n"'


def main(output, symbol, folder, paths):
    with open(output, 'w', encoding='utf-8') as out:
        out.write('#include "core/base/embed.h"\n\n')
        out.write('extern const EmbeddedFile %s[];\n' % symbol)
        out.write('const EmbeddedFile %s[] = {\n' % symbol)
        for path in sorted(paths):
            with open(path, encoding='utf-8') as source:
                lines = source.read().splitlines()
            out.write('    {"%s",\n' % os.path.relpath(path, folder))
            out.write('\n'.join('     ' + literal(line) for line in lines) or '     ""')
            out.write('},\n')
        out.write('    {NULL, NULL},\n};\n')


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
