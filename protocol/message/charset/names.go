package charset

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

const utf8Names = " utf8 csutf8 unicode11utf8 usascii ascii csascii ansix341968 ansix341986 iso646us isoir6 us ibm367 cp367 "

// charsets has each charset with its names as fold leaves them: those of the
// IANA registry that mail has, and those of common software.
var charsets = [...]struct {
	names    string
	encoding encoding.Encoding
}{
	{" iso88591 latin1 l1 csisolatin1 isoir100 ibm819 cp819 windows1252 cswindows1252 cp1252 xcp1252 win1252 ansi ", charmap.Windows1252},
	{" iso88592 latin2 l2 csisolatin2 isoir101 ", charmap.ISO8859_2},
	{" iso88593 latin3 l3 csisolatin3 isoir109 ", charmap.ISO8859_3},
	{" iso88594 latin4 l4 csisolatin4 isoir110 ", charmap.ISO8859_4},
	{" iso88595 cyrillic csisolatincyrillic isoir144 ", charmap.ISO8859_5},
	{" iso88596 iso88596e iso88596i arabic csisolatinarabic isoir127 asmo708 ecma114 csiso88596e csiso88596i ", charmap.ISO8859_6},
	{" iso88597 greek greek8 csisolatingreek isoir126 elot928 ecma118 ", charmap.ISO8859_7},
	{" iso88598 iso88598e iso88598i hebrew csisolatinhebrew isoir138 csiso88598e csiso88598i ", charmap.ISO8859_8},
	{" iso88599 latin5 l5 csisolatin5 isoir148 windows1254 cswindows1254 cp1254 xcp1254 win1254 ", charmap.Windows1254},
	{" iso885910 latin6 l6 csisolatin6 isoir157 ", charmap.ISO8859_10},
	{" iso885911 tis620 cstis620 tis62025330 windows874 cswindows874 cp874 xcp874 dos874 ", charmap.Windows874},
	{" iso885913 csiso885913 latin7 l7 ", charmap.ISO8859_13},
	{" iso885914 csiso885914 latin8 l8 isoir199 isoceltic ", charmap.ISO8859_14},
	{" iso885915 csiso885915 latin9 l9 ", charmap.ISO8859_15},
	{" iso885916 csiso885916 latin10 l10 isoir226 ", charmap.ISO8859_16},
	{" windows1250 cswindows1250 cp1250 xcp1250 win1250 ", charmap.Windows1250},
	{" windows1251 cswindows1251 cp1251 xcp1251 win1251 ", charmap.Windows1251},
	{" windows1253 cswindows1253 cp1253 xcp1253 win1253 ", charmap.Windows1253},
	{" windows1255 cswindows1255 cp1255 xcp1255 win1255 ", charmap.Windows1255},
	{" windows1256 cswindows1256 cp1256 xcp1256 win1256 ", charmap.Windows1256},
	{" windows1257 cswindows1257 cp1257 xcp1257 win1257 ", charmap.Windows1257},
	{" windows1258 cswindows1258 cp1258 xcp1258 win1258 ", charmap.Windows1258},
	{" koi8r cskoi8r koi koi8 ", charmap.KOI8R},
	{" koi8u cskoi8u koi8ru ", charmap.KOI8U},
	{" macintosh csmacintosh mac xmacroman macroman ", charmap.Macintosh},
	{" xmaccyrillic xmacukrainian maccyrillic ", charmap.MacintoshCyrillic},
	{" ibm037 cp037 csibm037 ebcdiccpus ebcdiccpca ebcdiccpwt ebcdiccpnl ", charmap.CodePage037},
	{" ibm437 cp437 437 cspc8codepage437 ", charmap.CodePage437},
	{" ibm850 cp850 850 cspc850multilingual ", charmap.CodePage850},
	{" ibm852 cp852 852 cspcp852 ", charmap.CodePage852},
	{" ibm855 cp855 855 csibm855 ", charmap.CodePage855},
	{" ibm858 cp858 ibm00858 cp00858 ccsid00858 csibm00858 pcmultilingual850euro ", charmap.CodePage858},
	{" ibm860 cp860 860 csibm860 ", charmap.CodePage860},
	{" ibm862 cp862 862 cspc862latinhebrew ", charmap.CodePage862},
	{" ibm863 cp863 863 csibm863 ", charmap.CodePage863},
	{" ibm865 cp865 865 csibm865 ", charmap.CodePage865},
	{" ibm866 cp866 866 csibm866 ", charmap.CodePage866},
	{" ibm1047 cp1047 csibm1047 ", charmap.CodePage1047},
	{" ibm1140 ibm01140 cp01140 ccsid01140 csibm01140 ebcdicus37euro ", charmap.CodePage1140},
	{" gbk gb2312 csgb2312 csgbk gb231280 csiso58gb231280 isoir58 chinese xgbk cp936 ms936 windows936 euccn xeuccn ", simplifiedchinese.GBK},
	{" gb18030 csgb18030 ", simplifiedchinese.GB18030},
	{" hzgb2312 hz cshzgb2312 ", simplifiedchinese.HZGB2312},
	{" big5 csbig5 cnbig5 big5hkscs csbig5hkscs xxbig5 cp950 ms950 ", traditionalchinese.Big5},
	{" iso2022jp csiso2022jp iso2022jp1 ", japanese.ISO2022JP},
	{" shiftjis csshiftjis sjis xsjis mskanji ms932 windows31j cswindows31j cp932 ", japanese.ShiftJIS},
	{" eucjp xeucjp cseucpkdfmtjapanese extendedunixcodepackedformatforjapanese ", japanese.EUCJP},
	{" euckr cseuckr ksc56011987 ksc5601 ksc56011989 csksc56011987 korean isoir149 windows949 cp949 ms949 uhc ", korean.EUCKR},
	{" utf16 csutf16 ucs2 iso10646ucs2 csunicode unicode ", unicode.UTF16(unicode.BigEndian, unicode.UseBOM)},
	{" utf16be csutf16be ", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	{" utf16le csutf16le ", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	{" utf32 csutf32 ucs4 iso10646ucs4 csucs4 ", utf32.UTF32(utf32.BigEndian, utf32.UseBOM)},
	{" utf32be csutf32be ", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
	{" utf32le csutf32le ", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
}
