"""What tools/build_notebooks.py is made of.

course.py   where things are, and the public address of the course
source.py   lessons/NN_name.py to cells: stubs, solutions, ids
outputs.py  outputs: cleaned, sealed, and carried over from the notebook that is there
modules.py  which files of the package a lesson imports, and their digest
execute.py  a fresh run
check.py    what CI refuses
"""
