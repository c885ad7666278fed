# Completion of parproc for PowerShell. Install: parproc --completion powershell | Out-String | Invoke-Expression
# in the file that $PROFILE names.

Register-ArgumentCompleter -Native -CommandName parproc -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $text = $commandAst.Extent.Text
    $typed = $cursorPosition - $commandAst.Extent.StartOffset
    if ($typed -lt $text.Length) { $text = $text.Substring(0, $typed) }
    elseif ($typed -gt $text.Length) { $text += ' ' }
    $env:_PARPROC_COMPLETE = 'powershell_complete'
    $env:COMP_WORDS = $text
    $env:COMP_CWORD = ''
    try { $lines = & $commandAst.CommandElements[0].Value 2>$null }
    finally { Remove-Item Env:_PARPROC_COMPLETE, Env:COMP_WORDS, Env:COMP_CWORD -ErrorAction SilentlyContinue }
    foreach ($line in $lines) {
        $form, $value, $description = $line -split "`t", 3
        if ($form -ne 'plain') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
            continue
        }
        $inserted = $value
        if ($value -notmatch '^[\w.:/@%+=,-]+$') { $inserted = "'" + ($value -replace "'", "''") + "'" }
        [System.Management.Automation.CompletionResult]::new($inserted, $value, 'ParameterValue', $description)
    }
}
