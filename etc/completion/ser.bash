# bash completion for ser
_ser() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  case $prev in
    -f|-P|-G|-i|-s|replay|test|*.flow) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    -w|-t|-Y|-L) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    -u) COMPREPLY=($(compgen -u -- "$cur")); return ;;
    -g) COMPREPLY=($(compgen -g -- "$cur")); return ;;
  esac
  COMPREPLY=($(compgen -W "replay test -f -c --check -l --listen= -p -n -a --alias= -A --subst= --substdef= --substdefs= --loadmodule= --modparam= -L --dialect= --strict --cfg-print -D -E -e -d --debug= -P -G -u -g -w -t -Y -m -M -x -X -b -K -r -R -i -s --server-id= --log-engine= --atexit= -N -Q -T -S -W -O --doc= --completion= -v --version -V -I -h --help --filter= --list --verbose --seed= --coverage --junit=" -- "$cur"))
  [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _ser ser
