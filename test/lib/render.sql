-- Runs what bench/legacy/render prints for the comma-separated :lib_arguments. By way of a file, since psql does not
-- take backslash commands from a variable. The tree is where PG_ABS_SRCDIR says (pg_regress sets it), or here.
\getenv lib_root PG_ABS_SRCDIR
\if :{?lib_root} \else \set lib_root . \endif
\setenv LIB_ARGUMENTS :lib_arguments
\setenv LIB_ROOT :lib_root
\set lib_file `f=$(mktemp); "$LIB_ROOT"/bench/legacy/render $(echo "$LIB_ARGUMENTS" | tr , ' ') >$f || rm $f; echo $f`
\i :lib_file
\set lib_file `rm -f :'lib_file'`
