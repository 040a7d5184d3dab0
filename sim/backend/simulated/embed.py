"""Writes a text file as a C string constant: embed.py OUTPUT INPUT HEADER NAME."""
import sys


def literal(line):
    return '    "' + line.replace('\\', '\\\\').replace('"', '\\"').replace('?', '\\?') + '\\n"'


output, source, header, name = sys.argv[1:]
with open(source, encoding='utf-8') as text, open(output, 'w', encoding='utf-8') as out:
    out.write('#include "%s"\n\nconst char %s[] =\n' % (header, name))
    out.write('\n'.join(literal(line) for line in text.read().split('\n')) + ';\n')
