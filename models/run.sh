#!/usr/bin/env bash
# run.sh MODEL VARIANT          checks one variant of variants.txt with Spin and says what was seen; works in build/spin, or in MORTISE_SPIN_DIR
# run.sh all [quick|check|MODEL] all of them, or those with that label or of that model
# run.sh quotes                 fails if the code that a model quotes (//@ file | text) is not in the sources any more
set -u
models=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=$models/../src/mortise

variants() { grep -v -e '^#' -e '^ *$' "$models/variants.txt"; }

quotes() {
  local bad=0 count=0 at file text
  while IFS= read -r at; do
    file=${at#*//@ }
    text=${file#* | }
    file=${file%% | *}
    count=$((count + 1))
    if ! grep -qF -- "$text" "$sources/$file" 2>/dev/null; then
      echo "${at%%:*} quotes what is not in $file: $text"
      bad=1
    fi
  done < <(cd "$models" && grep -H '//@ [a-z_/]*\.[ch]pp | ' ./*.pml ./*.inc)
  [ $count -gt 50 ] || { echo "only $count quotations were found"; bad=1; }
  [ $bad = 0 ] && echo "$count quotations, all in the sources"
  return $bad
}

# What no run reaches, but for ends of loops without end and for lines that say themselves that they are not reached.
unreached() {
  awk '/^unreached in (claim|never)/ { skip = 1 } /^unreached in (proctype|init)/ { skip = 0 }
       /state [0-9]+/ && !skip && !/"-end-"/' pan.out |
    while IFS= read -r line; do
      number=${line%%, state*}
      number=${number##*:}
      allowed=$(sed -sn "${number}p" "$model.pml" "$models"/*.inc | sed -n 's/.*unreached: \([A-Za-z_]*\).*/\1/p')
      [ -n "$allowed" ] && case " always $options " in *[\ =]$allowed[\ =]*) continue ;; esac
      printf '%s\n' "$line"
    done
}

explain() {
  echo "FAILED $name ($expectation): $1"
  head -n 12 pan.out
  ls ./*.trail >/dev/null 2>&1 && spin -k ./*.trail -p -g $defines "$model.pml" 2>/dev/null | tail -n 120
}

run() {  # MODEL VARIANT
  local label expectation options compile pan_options=
  name=$1.$2
  read -r label expectation options < <(variants | awk -v m="$1" -v v="$2" '$1 == m && $2 == v { $1 = $2 = ""; print }')
  [ -n "${expectation-}" ] || { echo "$name is not in variants.txt"; return 2; }
  model=$models/$1
  defines=
  for define in $options; do defines+=" -D$define"; done
  local where=${MORTISE_SPIN_DIR:-$models/../build/spin}
  mkdir -p "$where/$name" && cd "$where/$name" || return 2
  rm -f pan* ./*.trail
  # no warnings of unused variables in variants that have no use for them
  spin -a $defines "$model.pml" >spin.out 2>&1
  [ -e pan.c ] || { cat spin.out; return 1; }
  case $expectation in
    safe | fails:assertion) compile="-DSAFETY -DNOCLAIM" pan_options= ;;
    fails:end) compile="-DSAFETY -DNOCLAIM" pan_options=-A ;;
    live) compile=-DNFAIR=6 pan_options="-a -f" ;;
    fails:cycle) compile=-DNFAIR=6 pan_options="-a -f -A" ;;
    *) echo "$name: variants.txt expects $expectation"; return 2 ;;
  esac
  # Controls end early, so there compiling is the cost; the others need a stack as deep as their longest path.
  local optimise=-O1 depth=2000000 hash=20
  case $label,$expectation in
    *,fails:*) optimise=-O0 depth=300000 hash=18 ;;
    check,*) optimise=-O2 depth=20000000 hash=22 ;;
  esac
  ${CC:-gcc} $optimise -w -DCOLLAPSE -DMEMLIM=6000 $compile -o pan pan.c || return 1
  ./pan $pan_options -w$hash -m$depth >pan.out 2>&1
  local states seconds
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.out)
  seconds=$(sed -n 's/^pan: elapsed time \([0-9.e+-]*\) seconds/\1/p' pan.out)
  if [ -z "$states" ]; then explain "it did not run"; return 1; fi
  case $expectation in
    fails:assertion) grep -q '^pan:1: assertion violated' pan.out || { explain "no such error was found"; return 1; } ;;
    fails:end) grep -q '^pan:1: invalid end state' pan.out || { explain "no such error was found"; return 1; } ;;
    fails:cycle) grep -q '^pan:1: acceptance cycle' pan.out || { explain "no such error was found"; return 1; } ;;
    *)
      grep -q 'errors: 0$' pan.out || { explain "an error was found"; return 1; }
      if grep -q -i -e 'not completed' -e 'truncated' -e 'too small' -e 'out of memory' -e 'reached -DMEMLIM' pan.out; then
        explain "not every state was seen"
        return 1
      fi
      [ "${states%%.*}" -ge 50 ] || [ "$states" != "${states/e/}" ] || { explain "$states states are too few to mean anything"; return 1; }
      if [ "$expectation" = safe ] && [ -n "$(unreached)" ]; then
        explain "these steps are never taken:"
        unreached
        return 1
      fi
      ;;
  esac
  case $expectation in
    fails:*) echo "spin $name: fails as it must (${expectation#fails:}), $states states, $seconds s" ;;
    *) echo "spin $name: complete, $states states, $seconds s" ;;
  esac
  rm -f pan pan.[bchmpt]
}

case ${1-} in
  quotes) quotes ;;
  all)
    bad=0
    while read -r model variant label _; do
      case ${2-$label} in "$label" | "$model") bash "$0" "$model" "$variant" || bad=1 ;; esac
    done < <(variants)
    exit $bad
    ;;
  '' | -*) sed -n '2,4s/^# //p' "$0"; exit 2 ;;
  *) run "$1" "${2-}" ;;
esac
