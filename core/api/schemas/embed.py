"""Writes the schema files given as arguments into one C source: a const table of name and text."""
import os
import sys


def literal(line):
    return '"' + line.replace('\\', '\\\\').replace('"', '\\"') + '\\n"'


def main(output, paths):
    with open(output, 'w', encoding='utf-8') as out:
        out.write('#include "core/api/types_private.h"\n\n')
        out.write('const SchemaFile SCHEMA_FILES[] = {\n')
        for path in paths:
            with open(path, encoding='utf-8') as source:
                lines = source.read().split('\n')
            out.write('    {"%s",\n' % os.path.basename(path))
            out.write('\n'.join('     ' + literal(line) for line in lines) + '},\n')
        out.write('    {NULL, NULL},\n};\n')


main(sys.argv[1], sys.argv[2:])
