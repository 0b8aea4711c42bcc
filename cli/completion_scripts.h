// What makes shells complete the words of `rawgate` command lines: they ask 'rawgate complete'.
#pragma once

#include "absl/strings/string_view.h"

namespace rawgate::cli {

inline constexpr absl::string_view kBashCompletion =
    R"script(# bash completion for rawgate, from 'rawgate completion bash'.

_rawgate() {
  local program=${1:-rawgate} rest=${COMP_LINE:0:COMP_POINT} words=() word i
  rest=${rest#*"${COMP_WORDS[0]}"}
  # What bash takes apart at COMP_WORDBREAKS, such as --name=value, is one word again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ -z $rest || $rest == [[:blank:]]* || ${#words[@]} -eq 0 ]]; then
      rest=${rest#"${rest%%[![:blank:]]*}"}
      ((i == COMP_CWORD)) && word=$rest
      words+=("$word")
    else
      ((i == COMP_CWORD)) && word=$rest
      words[-1]+=$word
    fi
    rest=${rest#"$word"}
  done
  local typed=${words[-1]} before="" line value quote="" char
  # In which quotes the word stands so far. In $'...' nothing is completed.
  for ((i = 0; i < ${#typed}; i++)); do
    char=${typed:i:1}
    case $quote$char in
      \') quote=\' ;;
      \") quote=\" ;;
      \\ | \"\\) ((i++)) ;;
      \'\' | \"\") quote="" ;;
      '$') [[ ${typed:i+1:1} == [\"\'] ]] && return ;;
    esac
  done
  words=("${words[@]//[\\\"\']/}")
  # Of such a word, bash replaces the last part alone.
  local last=${words[-1]}
  [[ $COMP_WORDBREAKS == *=* && $last == *=* ]] && before=${last%"${last##*=}"}
  [[ $COMP_WORDBREAKS == *:* && $last == *:* ]] && before=${last%"${last##*:}"}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "${last##*=}")
        ;;
      :nospace) compopt -o nospace 2>/dev/null ;;
      *)
        value=${line%%$'\t'*}
        value=${value#"$before"}
        # A name of the far side is one word to the shell, and nothing in it is run.
        case $quote in
          "") printf -v value %q "$value" ;;
          \') char="'\\''" value=${value//\'/"$char"} ;;
          \")
            [[ $value == *'!'* ]] && continue  # history, for which there is no escape
            for char in \\ \" '$' \`; do value=${value//"$char"/"\\$char"}; done
            ;;
        esac
        COMPREPLY+=("$value")
        ;;
    esac
  done < <("$program" complete -- "${words[@]}" 2>/dev/null)
}

complete -F _rawgate rawgate
)script";

inline constexpr absl::string_view kZshCompletion = R"script(#compdef rawgate
# zsh completion for rawgate, from 'rawgate completion zsh'.

_rawgate() {
  local -a lines values displays space
  local line value files
  lines=("${(@f)$("${(Q)words[1]}" complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  for line in "${lines[@]}"; do
    case $line in
      '') ;;
      :files) files=yes ;;
      :nospace) space=(-S '') ;;
      *)
        value=${line%%$'\t'*}
        values+=("$value")
        if [[ $line == *$'\t'?* ]]; then
          displays+=("${(r:24:)value} -- ${line#*$'\t'}")
        else
          displays+=("$value")
        fi
        ;;
    esac
  done
  (( ${#values} )) && compadd -l "${space[@]}" -d displays -a values
  if [[ -n $files ]]; then
    compset -P '--*='
    _files
  fi
}

if [[ ${funcstack[1]} == _rawgate ]]; then
  _rawgate "$@"
else
  compdef _rawgate rawgate
fi
)script";

inline constexpr absl::string_view kFishCompletion =
    R"script(# fish completion for rawgate, from 'rawgate completion fish'.

function __rawgate_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in ($words[1] complete -- $words[2..] "$typed" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (string replace -r -- '^--[^=]*=' '' "$typed")
            case :nospace
            case '*'
                echo $line
        end
    end
end

complete -c rawgate -f -a '(__rawgate_complete)'
)script";

}  // namespace rawgate::cli
