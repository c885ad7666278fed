# Completion of parproc for PowerShell. Install: parproc --completion powershell | Out-String | Invoke-Expression
# in the file that $PROFILE names.

Register-ArgumentCompleter -Native -CommandName parproc -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # the installed program, whatever is typed: nothing in the current folder is run for a press of TAB
    $program = $env:PATH -split [System.IO.Path]::PathSeparator |
        Where-Object { [System.IO.Path]::IsPathRooted($_) } |
        ForEach-Object { Get-Command -CommandType Application -ErrorAction SilentlyContinue (Join-Path $_ 'parproc') } |
        Select-Object -First 1
    if (-not $program) { return }
    $text = $commandAst.Extent.Text
    $typed = $cursorPosition - $commandAst.Extent.StartOffset
    if ($typed -lt $text.Length) { $text = $text.Substring(0, $typed) }
    elseif ($typed -gt $text.Length) { $text += ' ' }
    $env:_PARPROC_COMPLETE = 'powershell_complete'
    $env:COMP_WORDS = $text
    $env:COMP_CWORD = ''
    try { $lines = & $program.Source 2>$null }
    finally { Remove-Item Env:_PARPROC_COMPLETE, Env:COMP_WORDS, Env:COMP_CWORD -ErrorAction SilentlyContinue }
    foreach ($line in $lines) {
        $form, $value, $description = $line -split "`t", 3
        if ($form -in 'file', 'dir') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete) |
                Where-Object { $form -eq 'file' -or $_.ResultType -eq 'ProviderContainer' }
            continue
        }
        $inserted = $value
        if ($value -notmatch '^-{0,2}\w[\w.:/=+-]*$') {
            # PowerShell takes curly quotes for quotes as well
            $inserted = "'" + [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($value) + "'"
        }
        [System.Management.Automation.CompletionResult]::new($inserted, $value, 'ParameterValue', $description)
    }
}
